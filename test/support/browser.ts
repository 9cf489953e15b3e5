/** The built entry in a Chromium, on a page of a cross-origin-isolated local server. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is, if anywhere; VMF_CHROMIUM names another one. */
export const chromiumPath = (): string | undefined => [process.env['VMF_CHROMIUM'] ?? '', ...places].find(existsSync);

const quiet = ['quic', 'gpu'].map((what) => `--disable-${what}`);
const still = ['background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`);

export const noChromium = 'no Chromium here (Debian: apt-get install chromium, or name one in VMF_CHROMIUM)';

const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--no-first-run', ...quiet, ...still] });

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

/** Serves these files, and those of a folder for what is not among them. */
async function serve(files: ReadonlyMap<string, Uint8Array | string>, folder: string): Promise<Server> {
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

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

type Files = Readonly<Record<string, Uint8Array | string>>;

/** Opens the page with the functions of browserPage.ts, which finds these files beside it. A script's error on it fails the test. */
export async function inPage<T>(executable: string, files: Files, use: (page: Page, version: string) => Promise<T>): Promise<T> {
  const server = await serve(await pageFiles(files), `${root}/node_modules/onnxruntime-web/dist`);
  const browser = await launch(executable);
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    await page.goto(addressOf(server));
    const result = await use(page, browser.version());
    assert.deepEqual(complaints, []);
    return result;
  } finally {
    await browser.close();
    server.close();
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function pageFiles(files: Files): Promise<Map<string, Uint8Array | string>> {
  const { bundleBrowser } = (await import(`${root}/scripts/bundleBrowser.mjs`)) as {
    bundleBrowser: (entries: readonly string[]) => Promise<{ name: string; contents: Uint8Array }[]>;
  };
  const entries = ['src/web/index.js', 'src/web/runtimeWorker.js', 'test/support/browserPage.js'];
  const bundles = await bundleBrowser(entries.map((entry) => `${root}/dist/${entry}`));
  return new Map<string, Uint8Array | string>([
    ...bundles.map(({ name, contents }): [string, Uint8Array] => [name, contents]),
    ['', '<!doctype html><title>trial</title><script type="module" src="/browserPage.js"></script>'],
    ...Object.entries(files),
  ]);
}
