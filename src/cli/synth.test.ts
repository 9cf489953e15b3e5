import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../errors.js';
import { synthCommand } from './synth.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-synth-cli-'));
after(() => rmSync(root, { recursive: true, force: true }));

function printed(...args: string[]): string {
  const script = 'import(process.argv[1]).then((m) => m.synthCommand().parseAsync(process.argv.slice(2), { from: "user" }))';
  const module = new URL('./synth.js', import.meta.url).href;
  return execFileSync(process.execPath, ['-e', script, module, ...args], { encoding: 'utf8' });
}

test('writes a set, says so, and recognises it', () => {
  const dir = join(root, 'set');
  const args = [dir, '--clips', '6', '--split', '4/1/1', '--classes', 'push,pull', '--size', '64x48', '--workers', '1'];
  const made = JSON.parse(printed(...args, '--json')) as { written: number; clips: number; options: { counts: unknown } };
  assert.equal(made.written, 6);
  assert.deepEqual(made.options.counts, { train: 4, val: 1, test: 1 });
  assert.ok(existsSync(join(dir, 'train/pull/pull-0002.mp4')));
  assert.match(printed(...args), /6 clips of 2 actions \(train 4, val 1, test 1\); all there already\n$/);
});

test('writes films with their labels', () => {
  const dir = join(root, 'films');
  const args = [dir, '--films', '3', '--minutes', '0.2', '--people', '1', '--split', '1/1/1', '--size', '64x48', '--fps', '8'];
  const made = JSON.parse(printed(...args, '--json')) as { written: number; labelsPath: string; options: { counts: unknown } };
  assert.equal(made.written, 3);
  assert.deepEqual(made.options.counts, { train: 1, val: 1, test: 1 });
  assert.ok(existsSync(made.labelsPath));
  assert.match(
    printed(...args),
    /3 films of 0.2 min .* with \d+ actions of 12 classes, \d+ % background; labels in .*labels.csv; all/,
  );
});

test('bad arguments are one line each', async () => {
  const bad: [string[], RegExp][] = [
    [['--clips', 'many'], /^--clips: expected a whole number, got "many"$/],
    [['--split', '1/2'], /^--split: expected three shares/],
    [['--size', '160'], /^--size: expected WIDTHxHEIGHT/],
    [['--codec', 'av1'], /^--codec: expected h264 or vp9, got "av1"$/],
    [['--classes', 'push,fly'], /^--classes: no class "fly"; there are /],
    [['--difficulty', 'hard'], /^--difficulty: expected a number/],
    [['--difficulty', '3'], /difficulty must be from 0 to 1, got 3/],
    [['--train', '0'], /no clips/],
    [['--people', '2'], /^--people: is about films; give --films N too$/],
    [['--films', '2', '--clips', '3'], /^--clips: cannot be given together with --films$/],
    [['--films', '2', '--minutes', '0'], /minutes must be from 0.1/],
  ];
  for (const [args, message] of bad) {
    const run = synthCommand().parseAsync([join(root, 'never'), ...args], { from: 'user' });
    await assert.rejects(
      run,
      (error) => error instanceof ConfigError && message.test(error.message) && !error.message.includes('\n'),
    );
  }
  assert.ok(!existsSync(join(root, 'never')));
});
