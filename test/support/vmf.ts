/** The command line as a process, for tests. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function start(args: readonly string[], cwd: string, program = main): ChildProcess {
  return spawn(process.execPath, [program, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

export function finished(child: ChildProcess): Promise<Result> {
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

export const vmf = (cwd: string, ...args: readonly string[]): Promise<Result> => finished(start(args, cwd));

/** Exit code 2, one line on stderr that matches, nothing on stdout. */
export async function refused(cwd: string, args: readonly string[], reason: RegExp): Promise<void> {
  const { code, out, err } = await vmf(cwd, ...args);
  assert.match(err, /^vmf: [^\n]+\n$/, `one line for ${args.join(' ')}`);
  assert.match(err, reason);
  assert.deepEqual([code, out], [2, ''], args.join(' '));
}
