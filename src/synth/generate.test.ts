import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, DatasetError } from '../errors.js';
import { type GenerateOptions, generateActions } from './generate.js';
import { countsOf } from './options.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-synth-'));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = (name: string) => join(root, name);

const small: GenerateOptions = {
  counts: { train: 4, val: 1, test: 2 },
  classes: ['sit-down', 'stand-up', 'walk'],
  width: 64,
  height: 48,
  seed: 3,
  workers: 2,
};

function contents(name: string): Record<string, string> {
  const files = readdirSync(folder(name), { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(folder(name), file)).isFile(),
  );
  return Object.fromEntries(
    files.sort().map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder(name), file)))
        .digest('hex'),
    ]),
  );
}

test('a seed names the bytes of a set, whatever the number of threads', async () => {
  const ticks: string[] = [];
  const { summary, written } = await generateActions(folder('a'), small, (done, total) => ticks.push(`${done}/${total}`));
  assert.equal(written, 7);
  assert.deepEqual(ticks, ['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7']);
  assert.deepEqual(summary.perClass, {
    train: { 'sit-down': 2, 'stand-up': 1, walk: 1 },
    val: { 'sit-down': 1 },
    test: { 'sit-down': 1, 'stand-up': 1 },
  });
  await generateActions(folder('b'), { ...small, workers: 1 });
  const first = contents('a');
  assert.deepEqual(contents('b'), first);
  assert.ok('train/sit-down/sit-down-0002.mp4' in first);
  assert.equal(new Set(Object.values(first)).size, Object.keys(first).length);
});

test('clip k does not depend on how many are made', async () => {
  await generateActions(folder('more'), { ...small, counts: { train: 6, val: 2, test: 2 } });
  const more = contents('more');
  for (const [file, digest] of Object.entries(contents('a'))) if (file.endsWith('.mp4')) assert.equal(more[file], digest, file);
});

test('a finished set is left as it is, a broken one completed, another one refused unless forced', async () => {
  const clip = join(folder('a'), 'test/stand-up/stand-up-0001.mp4');
  const before = contents('a');
  assert.deepEqual(pick(await generateActions(folder('a'), small)), { written: 0, reused: 7 });
  rmSync(clip);
  assert.deepEqual(pick(await generateActions(folder('a'), small)), { written: 1, reused: 6 });
  assert.deepEqual(contents('a'), before);
  await assert.rejects(generateActions(folder('a'), { ...small, seed: 4 }), (error) => {
    assert.ok(error instanceof DatasetError);
    assert.match(error.message, /other options \(seed 3\); use --force/);
    return true;
  });
  writeFileSync(join(folder('a'), 'mine.txt'), 'kept');
  assert.equal((await generateActions(folder('a'), { ...small, seed: 4, force: true })).written, 7);
  assert.notEqual(contents('a')['test/stand-up/stand-up-0001.mp4'], before['test/stand-up/stand-up-0001.mp4']);
  assert.equal(readFileSync(join(folder('a'), 'mine.txt'), 'utf8'), 'kept');
});

const pick = ({ written, reused }: { written: number; reused: number }) => ({ written, reused });

test('an interrupted set says so and is continued to the same bytes', async () => {
  const stop = new AbortController();
  const reason = new ConfigError('stopped');
  const run = generateActions(folder('cut'), small, (done) => done === 3 && stop.abort(reason), stop.signal);
  await assert.rejects(run, reason);
  const summary = JSON.parse(readFileSync(join(folder('cut'), 'synth.json'), 'utf8')) as { complete: boolean };
  assert.equal(summary.complete, false);
  const { reused, written } = await generateActions(folder('cut'), small);
  assert.ok(reused >= 3 && reused + written === 7);
  assert.deepEqual(contents('cut'), contents('b'));
});

test("a folder with somebody's files is not touched, even by force", async () => {
  mkdirSync(folder('mine'));
  writeFileSync(join(folder('mine'), 'thesis.txt'), 'years of work');
  for (const force of [false, true]) {
    await assert.rejects(
      generateActions(folder('mine'), { ...small, force }),
      /mine: not empty and not written by this generator/,
    );
  }
  assert.deepEqual(readdirSync(folder('mine')), ['thesis.txt']);
  await assert.rejects(generateActions(join(folder('mine'), 'thesis.txt'), small), /is a file/);
});

test('vp9 goes to webm', async () => {
  const options: GenerateOptions = { ...small, counts: { train: 1, val: 0, test: 0 }, codec: 'vp9' };
  await generateActions(folder('vp9'), options);
  assert.ok(existsSync(join(folder('vp9'), 'train/sit-down/sit-down-0001.webm')));
  assert.ok(!existsSync(join(folder('vp9'), 'val')));
});

test('options that cannot be are refused before anything is written', async () => {
  const bad: [GenerateOptions, RegExp][] = [
    [{ seed: -1 }, /seed must be a whole number/],
    [{ width: 65 }, /even size, got 65x48/],
    [{ height: 8 }, /height must be/],
    [{ difficulty: 2 }, /difficulty must be from 0 to 1, got 2/],
    [{ frameRate: 0 }, /fps/],
    [{ classes: [] }, /one or more classes/],
    [{ classes: ['juggle' as 'walk'] }, /no class "juggle"; there are sit-down,/],
    [{ counts: { train: 0, val: 0, test: 0 } }, /no clips/],
    [{ workers: 0 }, /workers/],
  ];
  for (const [change, message] of bad) {
    await assert.rejects(generateActions(folder('never'), { ...small, ...change }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.ok(!existsSync(folder('never')));
});

test('countsOf: shares that add up', () => {
  assert.deepEqual(countsOf(1240, [24, 1, 6]), { train: 960, val: 40, test: 240 });
  assert.deepEqual(countsOf(10, [80, 10, 10]), { train: 8, val: 1, test: 1 });
  assert.deepEqual(countsOf(7, [1, 1, 1]), { train: 3, val: 2, test: 2 });
});
