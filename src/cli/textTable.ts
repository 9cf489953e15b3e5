/** Columns as wide as their widest cell; text to the left, numbers to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column])));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  return cells.map((row) => `${line(row).trimEnd()}\n`).join('');
}

function isNumber(cell: string | number | undefined): boolean {
  return typeof cell === 'number' || /^-?[\d., ]+( %)?$/.test(cell ?? '');
}

/** RFC 4180, with line feeds; cells that need it are quoted. */
export function csvTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** JSON with a line per entry, but lists of numbers (scores, rows of a matrix) on one line. */
export function jsonText(value: unknown): string {
  // JSON strings hold no raw line breaks, so only layout matches.
  const numbers = /\[\n\s+(-?[\d.eE+-]+(?:,\n\s+-?[\d.eE+-]+)*)\n\s+\]/g;
  return `${JSON.stringify(value, null, 2).replace(numbers, (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`;
}
