/** Which back end is chosen; run in a child process whose PATH holds no program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chooseBackEnd } from './backEnd.js';
import { loadNodeAv, nodeAvVersion } from './nodeAvLibrary.js';

const nodeAvIsThere = typeof loadNodeAv() !== 'string';

function withoutFfmpeg(choice: string): string {
  const program = `
    const { chooseBackEnd } = await import(${JSON.stringify(new URL('./backEnd.js', import.meta.url).href)});
    try { process.stdout.write(chooseBackEnd('decoder', '${choice}').name) } catch (error) { process.stdout.write(error.message) }`;
  const args = ['--input-type=module', '--eval', program];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, PATH: '/nonexistent' } });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

test('without ffmpeg: node-av, or one line that says what is missing and how to get either', () => {
  if (nodeAvIsThere) assert.equal(withoutFfmpeg('auto'), 'node-av');
  else {
    assert.match(
      withoutFfmpeg('auto'),
      /^no video decoder: node-av: .+; ffmpeg: ffprobe not found\. Either npm install node-av@\d\S*, or install ffmpeg .+ PATH$/,
    );
  }
});

test('ffmpeg asked for by name where there is none', () => {
  assert.match(
    withoutFfmpeg('ffmpeg'),
    /^the decoder ffmpeg cannot be used: ffprobe not found; install ffmpeg .+ or choose node-av$/,
  );
});

test('node-av asked for by name', () => {
  if (nodeAvIsThere) assert.equal(chooseBackEnd('encoder', 'node-av').name, 'node-av');
  else
    assert.throws(() => chooseBackEnd('encoder', 'node-av'), /^VideoError: the encoder node-av cannot be used: .+; npm install/);
});

test('the version that the message names is the one that package.json asks for', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { optionalDependencies } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  assert.equal(optionalDependencies['node-av'], nodeAvVersion);
});
