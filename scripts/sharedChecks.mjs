// Checks against ../shared (or VMF_SHARED): real clips, fixtures, teachers. Skipped without that folder. Needs a build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const shared = process.env['VMF_SHARED'] ?? '../shared';

const checks = [
  ['weight files are read, and survive rewriting', ['scripts/sharedWeights.mjs', `${shared}/fixtures`]],
  ['the 52M network against the tensors of an independent one', ['--test', 'dist/test/parity.test.js'], `${shared}/fixtures`],
  ['frames that are no squares, likewise', ['--test', 'dist/test/parity.test.js'], `${shared}/fixtures/rectangular`],
  [
    'weights written before load as they were',
    ['scripts/sharedLegacy.mjs', `${shared}/weights/vmf-52m-motion/motions.safetensors`],
  ],
  ['120 real clips are read without a problem', ['dist/src/cli/main.js', 'check', `${shared}/data/ut-interaction/manifest.csv`]],
];

if (!existsSync(shared)) {
  console.log(`${shared} is not there: ${checks.length} checks that need it were not run`);
  process.exit(0);
}
for (const [name, args, fixtures] of checks) {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...(fixtures && { VMF_FIXTURES: fixtures }) },
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds} s)`);
  if (status !== 0) process.exit(1);
}
