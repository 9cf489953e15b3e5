/** Arguments as a line that a POSIX shell takes apart again into the same arguments. */

export function shellLine(args: readonly string[]): string {
  return args.map((arg) => (/^[\w./:=@%+,-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)).join(' ');
}
