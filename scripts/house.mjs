// `npm run house`: sizes of functions and files, words of comments, duplicates. `--check` fails when a bound of
// scripts/house/bounds.json is broken.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findDuplicates } from './house/duplicates.mjs';
import { commentWords, functionLines } from './house/measures.mjs';
import { readSources } from './house/sources.mjs';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean' },
    json: { type: 'boolean' },
    root: { type: 'string', default: resolve(import.meta.dirname, '..') },
  },
});
const bounds = JSON.parse(readFileSync(join(import.meta.dirname, 'house/bounds.json'), 'utf8'));
const allowed = JSON.parse(readFileSync(join(import.meta.dirname, 'house/allowedDuplicates.json'), 'utf8'));
const parts = { src: ['src'], 'test and bench': ['test', 'bench', 'examples', 'scripts'] };

/** As `numpy.percentile` with method "lower". */
function quantile(sorted, share) {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

function measure(files) {
  const lines = files.flatMap(functionLines).sort((a, b) => a - b);
  const long = files.filter(({ lineCount }) => lineCount > bounds.fileLines);
  return {
    files: files.length,
    lines: files.reduce((sum, { lineCount }) => sum + lineCount, 0),
    functions: lines.length,
    medianLines: quantile(lines, 0.5),
    p90Lines: quantile(lines, 0.9),
    longFiles: long.map(({ path, lineCount }) => `${path}: ${lineCount} lines`),
    ...commentWords(files),
  };
}

function isAllowed({ a, b }) {
  const pair = [a.path, b.path].sort().join(' ~ ');
  return allowed.some(({ files }) => [...files].sort().join(' ~ ') === pair);
}

const describe = ({ a, b, lines, kind }) => `${a.path}:${a.from}-${a.to} ~ ${b.path}:${b.from}-${b.to} (${lines} lines, ${kind})`;

/** Two thirds of the words a line that comments had before they were shortened. */
const mostCommentWords = (name, { lines }) => Math.floor(bounds.commentShare * bounds.baselineCommentWordsPerLine[name] * lines);

function broken({ parts, duplicates }) {
  const found = duplicates.map((pair) => `written twice: ${pair}`);
  for (const [name, part] of Object.entries(parts)) {
    if (part.medianLines > bounds.medianLines) found.push(`${name}: median function of ${part.medianLines} lines`);
    if (part.p90Lines > bounds.p90Lines) found.push(`${name}: 90th percentile of functions at ${part.p90Lines} lines`);
    found.push(...part.longFiles);
    const most = mostCommentWords(name, part);
    if (part.commentWords > most) found.push(`${name}: ${part.commentWords} words in comments, at most ${most} are allowed`);
  }
  return found;
}

function print(result) {
  for (const [name, part] of Object.entries(result.parts)) {
    console.log(`${name}: ${part.files} files, ${part.lines} lines`);
    console.log(`  functions: ${part.functions}, median ${part.medianLines} lines, 90th percentile ${part.p90Lines}`);
    console.log(`  files above ${bounds.fileLines} lines: ${part.longFiles.join('; ') || 'none'}`);
    console.log(
      `  words in comments: ${part.commentWords} (at most ${mostCommentWords(name, part)}); docstrings of exports: ${part.docstringWords}`,
    );
  }
  console.log(
    `written twice, ${bounds.duplicateLines} lines and more: ${result.duplicates.length} (and ${result.allowed} with a reason)`,
  );
  for (const pair of result.duplicates) console.log(`  ${pair}`);
}

const sources = Object.entries(parts).map(([name, roots]) => [name, readSources(values.root, roots)]);
const pairs = findDuplicates(
  sources.flatMap(([, files]) => files),
  bounds.duplicateLines,
);
const result = {
  parts: Object.fromEntries(sources.map(([name, files]) => [name, measure(files)])),
  duplicates: pairs.filter((pair) => !isAllowed(pair)).map(describe),
  allowed: pairs.filter(isAllowed).length,
};
if (values.json) console.log(JSON.stringify(result, null, 2));
else print(result);
if (values.check) {
  const faults = broken(result);
  for (const fault of faults) console.error(`house: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
