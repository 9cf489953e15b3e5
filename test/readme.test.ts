/** README and docs: library examples run; commands, options and links exist. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { encodeVideo } from '../src/video/encode.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';

const library = pathToFileURL(resolve('dist/src/index.js')).href;

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'pretrained/README.md',
  ...readdirSync('docs').map((name) => `docs/${name}`),
]
  .filter((path) => path.endsWith('.md') && path !== 'docs/renamed.md') // which names old options on purpose
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

function examples(): [string, string] {
  const blocks = pages.flatMap(({ text }) => [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? ''));
  const inNode = blocks.filter((block) => !block.includes('video-mobile-former/browser')); // run in browserVideo.test.ts
  assert.equal(inNode.length, 2, 'two TypeScript examples');
  return [inNode[0] ?? '', inNode[1] ?? ''];
}

function run(folder: string, text: string): string {
  writeFileSync(join(folder, 'example.mjs'), text.replace("'video-mobile-former'", `'${library}'`));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

function* moving(sideways: boolean, start: number): Generator<Uint8Array> {
  for (let t = 0; t < 12; t++) {
    const rgb = new Uint8Array(160 * 128 * 3).fill(60);
    const [x, y] = sideways ? [t * 10, 20 + start * 4] : [20 + start * 4, t * 8];
    for (let row = y; row < y + 24; row++) rgb.fill(230, (row * 160 + x) * 3, (row * 160 + x + 24) * 3);
    yield rgb;
  }
}

test('the examples of README and docs run', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-readme-'));
  try {
    for (const label of ['across', 'down']) {
      mkdirSync(join(folder, 'clips', label), { recursive: true });
      for (let i = 0; i < 12; i++) {
        const video = { width: 160, height: 128, frameRate: 12, codec: 'h264' as const };
        encodeVideo(join(folder, 'clips', label, `${i}.mp4`), video, moving(label === 'across', i));
      }
    }
    copyFileSync(join(folder, 'clips', 'across', '0.mp4'), join(folder, 'new.mp4'));
    const [trained, streamed] = examples();
    assert.ok(trained.includes('epochs: 30') && streamed.includes("'camera:0'"));
    const learnt = run(folder, trained.replace('epochs: 30', 'epochs: 1'));
    assert.match(learnt, /^(across|down) [01]\.\d{3}\n(across|down) [01]\.\d{3}\n$/);
    if (typeof findFfmpeg() === 'string') return t.diagnostic('streams need the system ffmpeg: their example was not run');
    assert.match(run(folder, streamed.replace('camera:0', 'new.mp4')), /^(\d+\.\d (across|down) \d+ ms 0\n)+$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function* commands(): Generator<{ path: string; verb: string; options: string[] }> {
  for (const { path, text } of pages) {
    for (const [, verb = '', rest = ''] of text.matchAll(/\bvmf (?:-- )?([a-z]+)\b([^`\n#]*)/g)) {
      yield { path, verb, options: rest.match(/--[a-z][a-z0-9-]*/g) ?? [] };
    }
  }
}

test('every command and option in README and docs exists', () => {
  const helps = new Map<string, string>();
  const help = (verb: string): string => {
    const found =
      helps.get(verb) ?? spawnSync(process.execPath, ['dist/src/cli/main.js', verb, '--help'], { encoding: 'utf8' }).stdout;
    helps.set(verb, found);
    return found;
  };
  let checked = 0;
  for (const { path, verb, options } of commands()) {
    assert.ok(help(verb).startsWith(`Usage: vmf ${verb}`), `${path}: vmf has no verb ${verb}`);
    for (const option of options) assert.ok(`${help(verb)} `.includes(`${option} `), `${path}: vmf ${verb} has no ${option}`);
    checked += 1 + options.length;
  }
  assert.ok(checked > 60, `${checked} commands and options found`);
});

test('every npm script and local link in README and docs exists', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const { path, text } of pages) {
    for (const [, name = ''] of text.matchAll(/npm run (?:--silent )?([a-z:]+)/g))
      assert.ok(name in scripts, `${path}: npm run ${name}`);
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]*)/g)) {
      const isLocal = target !== '' && !/^https?:/.test(target);
      if (isLocal) assert.ok(existsSync(join(dirname(path), target)), `${path}: link to ${target}`);
    }
  }
});

test('the README is at most 150 lines and starts with a picture', () => {
  const lines = readFileSync('README.md', 'utf8').split('\n');
  assert.ok(lines.length <= 151, `${lines.length} lines`);
  assert.match(lines.slice(1).join('\n').trimStart(), /^!\[[^\]]+\]\(docs\/actions\.jpg\)/);
});
