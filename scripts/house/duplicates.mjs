// Duplicated runs of lines: same tokens, or same shape with other names and literals. Imports, types and tables have no shapes.
import ts from 'typescript';

const leastShapes = 4; // a run of fewer different shapes is a table
const leastTokens = 50; // of a run of one shape, as in jscpd
const mostPlaces = 8; // what stands in more places is an idiom

/** Pairs of places that share `least` lines or more, the longest run of each pair once. */
export function findDuplicates(files, least) {
  const all = files.map(codeLines);
  const exact = pairs(
    all,
    least,
    ({ exact }) => exact,
    () => true,
  );
  const shapes = pairs(all, least, ({ shape }) => shape, isLogic);
  const covered = (pair) => exact.some((other) => overlaps(pair.a, other.a) && overlaps(pair.b, other.b));
  return [
    ...exact.map((pair) => ({ ...pair, kind: 'same' })),
    ...shapes.filter((pair) => !covered(pair)).map((pair) => ({ ...pair, kind: 'shape' })),
  ];
}

const overlaps = (a, b) => a.path === b.path && a.from <= b.to && b.from <= a.to;

function isLogic(window) {
  if (window.some(({ declares }) => declares)) return false;
  const shapes = new Set(window.map(({ shape }) => shape));
  const tokens = window.reduce((sum, { shape }) => sum + shape.split(' ').length - 1, 0);
  return shapes.size >= leastShapes && tokens >= leastTokens;
}

function pairs(files, least, key, counts) {
  const found = [];
  const windows = windowsByText(files, least, key, counts);
  for (const places of windows.values()) {
    if (places.length < 2 || places.length > mostPlaces) continue;
    for (const [i, a] of places.entries()) for (const b of places.slice(i + 1)) extend(found, a, b, least);
  }
  return found.map(({ a, b, lines }) => ({ a: place(files, a, lines), b: place(files, b, lines), lines }));
}

function windowsByText(files, least, key, counts) {
  const windows = new Map();
  files.forEach(({ lines }, file) => {
    for (let at = 0; at + least <= lines.length; at++) {
      const window = lines.slice(at, at + least);
      if (!counts(window)) continue;
      const text = window.map(key).join('\n');
      if (!windows.has(text)) windows.set(text, []);
      windows.get(text).push({ file, at });
    }
  });
  return windows;
}

/** Adjacent windows lengthen a pair, unless it overlaps itself. */
function extend(found, a, b, least) {
  if (a.file === b.file && b.at - a.at < least) return;
  const pair = found.find(
    (f) => f.a.file === a.file && f.b.file === b.file && follows(f.a, a, f.lines, least) && a.at - f.a.at === b.at - f.b.at,
  );
  if (pair !== undefined) pair.lines = Math.max(pair.lines, a.at - pair.a.at + least);
  else found.push({ a, b, lines: least });
}

const follows = (first, next, lines, least) => next.at >= first.at && next.at - first.at <= lines - least + 1;

function place(files, { file, at }, count) {
  const { path, lines } = files[file];
  return { path, from: lines[at].number, to: lines[at + count - 1].number };
}

function codeLines({ path, tree }) {
  const lines = new Map();
  const visit = (node, declares) => {
    const within = declares || declaresOnly(node);
    const children = node.getChildren(tree).filter((child) => !ts.isJSDoc(child));
    if (children.length > 0) for (const child of children) visit(child, within);
    else if (node.getWidth(tree) > 0) add(lines, tree, node, within);
  };
  for (const statement of tree.statements)
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) visit(statement, false);
  return { path, lines: [...lines.values()].sort((a, b) => a.number - b.number) };
}

const declaresOnly = (node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isTypeLiteralNode(node);

function add(lines, tree, token, declares) {
  const number = tree.getLineAndCharacterOfPosition(token.getStart(tree)).line + 1;
  const line = lines.get(number) ?? { number, exact: '', shape: '', declares };
  const text = token.getText(tree);
  line.exact += `${text} `;
  line.shape += ts.isIdentifier(token)
    ? 'n '
    : ts.isLiteralExpression(token) || ts.isTemplateMiddleOrTemplateTail(token)
      ? 'l '
      : `${text} `;
  line.declares &&= declares;
  lines.set(number, line);
}
