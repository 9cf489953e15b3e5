import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { checkCommand } from './check.js';

async function check(...args: string[]): Promise<{ printed: string; code: typeof process.exitCode }> {
  let printed = '';
  const before = process.exitCode;
  const command = checkCommand((text) => {
    printed += text;
  });
  try {
    await command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(args, { from: 'user' });
    return { printed, code: process.exitCode };
  } finally {
    process.exitCode = before;
  }
}

function folder(t: TestContext): string {
  const root = temporaryFolder(t);
  for (const [i, label] of ['jump', 'jump', 'wave', 'wave'].entries()) makeVideo(join(root, label, `${i}.mp4`), { seed: i });
  return root;
}

test('a sound folder: a table, a verdict, exit code untouched', async (t) => {
  const root = folder(t);
  const { printed, code } = await check(root);
  assert.match(printed, /class folders, 2 classes, 4 videos, split 80\/10\/10 by class, seed 0\n/);
  assert.match(printed, /\nclass {2}train {2}val {2}test {2}all\njump {7}1 {4}0 {5}1 {4}2\n/);
  assert.match(printed, /\nall {8}2 {4}0 {5}2 {4}4\n/);
  assert.match(printed, /\n4 of 4 videos can be read; no problems\n$/);
  assert.equal(code, undefined);
});

test('a broken file: its line, exit code 1; the same as JSON', async (t) => {
  const root = folder(t);
  makeFile(join(root, 'wave', 'z.mp4'), '');
  const text = await check(root);
  assert.match(
    text.printed,
    /\nproblem: wave\/z\.mp4 \(\w+\): empty: is empty \(0 bytes\)\n\n4 of 5 videos can be read; 1 problem\n$/,
  );
  assert.equal(text.code, 1);
  const json = await check(root, '--json', '--workers', '1');
  const report = JSON.parse(json.printed);
  assert.equal(json.code, 1);
  assert.deepEqual([report.videos, report.readable, report.problems.length, report.problems[0].kind], [5, 4, 1, 'empty']);
});

test('wrong arguments are refused in one line', async () => {
  await assert.rejects(check('/no/such/place'), /^DatasetError: \/no\/such\/place: no such file or folder$/);
  await assert.rejects(check('x', '--workers', '0'), /expected a whole number from 1/);
  await assert.rejects(check('x', '--decoder', 'opencv'), /Allowed choices are auto, node-av, ffmpeg/);
});
