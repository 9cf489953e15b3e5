// Every test, test file, option and export of the recorded commit exists, or docs/renamed.md maps or explains it. Needs a build.
// `--list FOLDER` writes the current lists.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const folder = 'test/fixtures/record';
const roots = ['src', 'test', 'bench', 'examples'];

const testFiles = () =>
  roots
    .flatMap((root) => readdirSync(root, { recursive: true }).map((name) => `${root}/${name.replaceAll('\\', '/')}`))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();

function titlesOf(file) {
  const found = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && /^(test|it)(\.\w+)?$/.test(node.expression.getText())) found.push(textOf(node.arguments[0]));
    ts.forEachChild(node, visit);
  };
  visit(sourceOf(file));
  return found.map((title) => title.replaceAll('\n', ' '));
}

function textOf(node) {
  if (node === undefined) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right);
  return '*';
}

const sourceOf = (file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);

const exportsOf = (file) =>
  sourceOf(file).statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)
      ? statement.exportClause.elements.map(({ name }) => name.text)
      : [],
  );

function help(...words) {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['dist/src/cli/main.js', ...words, '--help'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`vmf ${words.join(' ')} --help: ${stderr || 'no answer: build first'}`);
  return stdout;
}

const verbs = () => [...help().matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map(([, verb]) => verb).filter((verb) => verb !== 'help');
const options = () =>
  verbs().flatMap((verb) => [...help(verb).matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => `${verb} ${name}`));

const today = {
  tests: () => testFiles().flatMap(titlesOf),
  files: testFiles,
  options,
  exports: () => exportsOf('src/index.ts'),
};

/** First column -> second, of all tables. */
const plain = (text) => text.replaceAll('`', '').replaceAll(/[’‘]/g, "'").replaceAll(/[“”]/g, '"').trim();
const rows = () =>
  plain(readFileSync('docs/renamed.md', 'utf8'))
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')))
    .filter((cells) => cells.length >= 4 && cells[1] && cells[2] && !/^-+$/.test(cells[1]));

const whole = (word) => new RegExp(`(^|[^\\w-])${word.replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&')}($|[^\\w-])`);

function names(kind, cell, name) {
  if (kind === 'tests') return cell === plain(name) || cell.includes(`"${plain(name)}"`);
  if (kind === 'files') return whole(name).test(cell);
  if (kind === 'exports') return /^exports?\b/.test(cell) && whole(name).test(cell);
  const [verb, option] = name.split(' ');
  return whole(option).test(cell) && (!/\bvmf\b/.test(cell) || whole(verb).test(cell.replace(/--.*/, '')));
}

function counted(list) {
  const counts = new Map();
  for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function missing(kind, documented) {
  const now = counted(today[kind]().map(plain));
  const before = counted(readFileSync(`${folder}/${kind}.txt`, 'utf8').split('\n').filter(Boolean));
  return [...before].filter(([name, times]) => {
    return (now.get(plain(name)) ?? 0) < times && !documented.some(([, cell]) => names(kind, cell, name));
  });
}

const list = process.argv.indexOf('--list');
if (list > 0) {
  const to = process.argv[list + 1] ?? folder;
  for (const kind of Object.keys(today)) writeFileSync(`${to}/${kind}.txt`, `${today[kind]().join('\n')}\n`);
} else {
  const documented = existsSync('docs/renamed.md') ? rows() : [];
  const gone = Object.keys(today).flatMap((kind) => missing(kind, documented).map(([name]) => `${kind}: ${name}`));
  for (const line of gone) console.log(line);
  console.log(
    gone.length === 0
      ? 'every name of before is there, or in docs/renamed.md'
      : `${gone.length} names are neither there nor in docs/renamed.md`,
  );
  process.exit(gone.length === 0 ? 0 : 1);
}
