import ts from 'typescript';
import { walk } from './sources.mjs';

/**
 * Lines of each function that has a name: declarations, methods, accessors, constructors, and functions given to a variable or
 * property.
 */
export function functionLines({ tree }) {
  const lines = [];
  walk(tree, (node) => {
    if (!isNamedFunction(node)) return;
    const line = (position) => tree.getLineAndCharacterOfPosition(position).line;
    lines.push(line(node.getEnd()) - line(node.getStart(tree)) + 1);
  });
  return lines;
}

function isNamedFunction(node) {
  if (!ts.isFunctionLike(node) || node.body === undefined) return false;
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return true;
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent);
}

/** Words in all comments, apart from the docstrings of what a file exports and of its members, which are counted beside. */
export function commentWords(files) {
  let [comments, docstrings] = [0, 0];
  for (const file of files) {
    const documented = exportedDocstrings(file.tree);
    for (const { pos, end } of allComments(file)) {
      const words = countWords(file.text.slice(pos, end));
      if (documented.has(pos)) docstrings += words;
      else comments += words;
    }
  }
  return { commentWords: comments, docstringWords: docstrings };
}

const countWords = (comment) => comment.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

function allComments({ text, tree }) {
  const found = new Map();
  const keep = (ranges = []) => {
    for (const range of ranges) found.set(range.pos, range);
  };
  const visit = (node) => {
    keep(ts.getLeadingCommentRanges(text, node.getFullStart()));
    keep(ts.getTrailingCommentRanges(text, node.getEnd()));
    for (const child of node.getChildren(tree)) if (!ts.isJSDoc(child)) visit(child);
  };
  visit(tree);
  return found.values();
}

function exportedDocstrings(tree) {
  const starts = new Set();
  const note = (node) => {
    const doc = node.jsDoc?.at(-1);
    if (doc !== undefined) starts.add(doc.pos);
  };
  const noteMembers = (node) => {
    note(node);
    if (!ts.isBlock(node) && !ts.isExpression(node)) ts.forEachChild(node, noteMembers);
  };
  for (const statement of tree.statements) {
    const exported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (exported) noteMembers(statement);
  }
  return starts;
}
