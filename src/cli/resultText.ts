import { textTable } from './textTable.js';

/** Rows are true classes, columns predicted ones, numbered as the rows are. */
export function confusionText(labels: readonly string[], confusion: readonly (readonly number[])[]): string {
  if (labels.length > 30) return `confusion matrix: ${labels.length} classes are too many to print; use --json or --report\n`;
  const header = ['true \\ predicted', ...labels.map((_, i) => String(i + 1))];
  const rows = confusion.map((row, i) => [`${i + 1} ${labels[i]}`, ...row.map((n) => (n === 0 ? '.' : String(n)))]);
  return textTable(header, rows);
}
