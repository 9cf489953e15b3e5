/**
 * A lock file made by one exclusive creation; that of a dead process is taken over by exactly one successor. Advisory: it binds
 * this program only.
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
  /** Start of the process, which no later process with its number shares; absent where the system does not tell. */
  began: v.optional(v.string()),
  since: v.string(),
  id: v.string(),
});

type Holder = v.InferOutput<typeof holderSchema>;

/** A lock is written within a millisecond; one that stays empty for longer was left by a killed process. */
const emptyForMs = 1000;

/** Locks of this process, for systems that do not tell when a process began. */
const held = new Set<string>();

/** Throws a ConfigError when a living process, this one included, holds the lock. Writes nothing. */
export function checkUnlocked(path: string): void {
  const text = readLock(path);
  if (text !== undefined) refuseLiving(path, text);
}

/** Takes the lock and returns the function that releases it. ConfigError when a living process, this one included, holds it. */
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
  return textOf(path) === own; // or this process was held up until its empty lock counted as left behind
}

/**
 * Replaces a dead process's lock. Only the holder of the second lock may, and only while the first is still the old one; else
 * false.
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

/** The lock's content, undefined without one; waits for one being written. */
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
  if (!holder) return; // cut off: its process was killed while writing
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

/** Whether a process of this machine with that number and start still runs. */
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

/** Linux: boot id and start in ticks (proc_pid_stat(5), field 22). Undefined elsewhere or when it is over. */
function beginOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  const boot = textOf('/proc/sys/kernel/random/boot_id');
  if (stat === undefined || boot === undefined) return undefined;
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name may hold spaces; field 3 follows it
  const [state] = afterName;
  return state === 'Z' || state === 'X' ? 'over' : `${boot.trim()} ${afterName[19]}`;
}
