/** Chromium on pages of a cross-origin-isolated local server. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is, if anywhere; VMF_CHROMIUM names another one. */
export const chromiumPath = (): string | undefined => [process.env['VMF_CHROMIUM'] ?? '', ...places].find(existsSync);

const quiet = ['quic', 'gpu'].map((what) => `--disable-${what}`);
const still = ['background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`);

export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--no-first-run', ...quiet, ...still] });

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

/** Serves these files, and those of a folder for what is not among them. */
export async function serve(files: ReadonlyMap<string, Uint8Array | string>, folder: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const name = new URL(url, 'http://localhost').pathname.slice(1);
    const path = `${folder}/${name.split('/').at(-1)}`;
    const content = files.get(name) ?? (existsSync(path) && name !== '' ? readFileSync(path) : undefined);
    response.writeHead(content === undefined ? 404 : 200, {
      'content-type': types[name === '' ? 'html' : (name.split('.').at(-1) ?? '')] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
