/**
 * A file that says which process works in a folder, so that two never do without noticing. It is made by one exclusive creation;
 * that of a dead process is taken over, by one successor even where several try at the same instant. It is advice to this program
 * only: nothing keeps others out of the folder.
 */

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { ConfigError } from '../../errors.js';
import { parsedJson } from '../../json.js';
import { integer, matching } from '../../schema.js';

const holderSchema = v.object({
  pid: integer(1),
  host: v.string(),
  /** When the process began, in a form that no later process with its number shares; absent where the system does not tell. */
  began: v.optional(v.string()),
  /** When the lock was taken, for people. */
  since: v.string(),
  id: v.string(),
});

type Holder = v.InferOutput<typeof holderSchema>;

/** A lock is written in the same millisecond in which it is made; one that stays empty for longer is that of a process killed there. */
const emptyForMs = 1000;

/** Locks that this process holds, for systems that do not tell when a process began. */
const held = new Set<string>();

/** Throws a ConfigError when a living process, this one included, holds the lock. Writes nothing. */
export function checkUnlocked(path: string): void {
  const text = readLock(path);
  if (text !== undefined) refuseLiving(path, text);
}

/** Takes the lock and gives the function that lets it go. ConfigError when a living process, this one included, holds it. */
export function takeLock(path: string): () => void {
  const holder: Holder = {
    ...{ pid: process.pid, host: hostname(), since: new Date().toISOString(), id: randomUUID() },
    began: beginOf(process.pid),
  };
  const own = `${JSON.stringify(holder)}\n`;
  while (!create(path, own)) {
    const old = readLock(path);
    if (old === undefined) continue; // let go in between
    refuseLiving(path, old);
    if (succeed(path, old, own)) break;
  }
  held.add(holder.id);
  return () => {
    held.delete(holder.id);
    if (textOf(path) === own) rmSync(path, { force: true });
  };
}

/** False when there is a lock already. */
function create(path: string, own: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new ConfigError(`cannot be made (${(error as NodeJS.ErrnoException).code}); a run needs a folder it can write to`, {
      path,
    });
  }
  try {
    writeSync(file, own);
  } catch (error) {
    rmSync(path, { force: true });
    throw new ConfigError(`cannot be written (${(error as NodeJS.ErrnoException).code}); is the disk full?`, { path });
  } finally {
    closeSync(file);
  }
  return textOf(path) === own; // another one if this process was held up for so long that its empty lock counted as left behind
}

/**
 * Puts the own lock in the place of a dead process's. Who holds the second lock may do so, and only while the first is still the old
 * one: whoever read it before but comes later finds the successor's. False in that case.
 */
function succeed(path: string, old: string, own: string): boolean {
  const letGo = takeLock(`${path}.successor`);
  try {
    if (textOf(path) !== old) return false;
    const file = `${path}.${randomUUID()}.tmp`;
    writeFileSync(file, own, { flag: 'wx' });
    renameSync(file, path);
    return true;
  } finally {
    letGo();
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The lock's content, undefined without one; waits for one that is just being written. */
function readLock(path: string): string | undefined {
  for (;;) {
    const text = textOf(path);
    if (text !== '') return text;
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (ageMs > emptyForMs) return text;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

function refuseLiving(path: string, text: string): void {
  const holder = holderOf(text);
  if (!holder) return; // cut off: its process was killed while it wrote it
  const { pid, host, since } = holder;
  if (host !== hostname()) {
    throw new ConfigError(
      `a run of process ${pid} on the machine ${host} has been going on here since ${since}; use another --out, or delete this file if that run is over`,
      { path },
    );
  }
  if (!lives(holder)) return;
  const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`;
  throw new ConfigError(`a run is going on here (${who}, since ${since}); use another --out`, { path });
}

const holderOf = (text: string): Holder | undefined => matching(holderSchema, parsedJson(text));

/** Whether the process of this machine still runs: one with its number that began at the same time. */
function lives({ pid, began, id }: Holder): boolean {
  const now = beginOf(pid);
  if (began !== undefined && now !== undefined) return began === now;
  if (pid === process.pid) return held.has(id);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

/** Linux: the machine's start and, in ticks after it, the process's (proc_pid_stat(5), field 22). Undefined elsewhere or when it is over. */
function beginOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  const boot = textOf('/proc/sys/kernel/random/boot_id');
  if (stat === undefined || boot === undefined) return undefined;
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name may hold spaces; field 3 follows it
  const [state] = afterName;
  return state === 'Z' || state === 'X' ? 'over' : `${boot.trim()} ${afterName[19]}`;
}
