// Runs built tests: all, or those whose path contains a given word.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const words = process.argv.slice(2);
const files = ['dist/src', 'dist/test', 'dist/examples']
  .flatMap((root) => {
    try {
      return readdirSync(root, { recursive: true }).map((name) => `${root}/${name}`);
    } catch {
      return [];
    }
  })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test matches ${words.join(' ')}`);
  process.exit(1);
}
const run = spawnSync(process.execPath, ['--test', '--test-concurrency=2', '--enable-source-maps', ...files], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
