/**
 * Two built trees compared, command by command in turn, by time, processor time and peak memory. The other tree also runs against
 * itself: the noise floor.
 */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { number } from '../src/schema.js';
import { drawActions, withFolder } from './actions.js';
import { CheckError, UsageError } from './errors.js';
import { median, rounded, smallest } from './timing.js';

export interface AgainstOptions {
  /** Root of the other tree, built. */
  readonly folder: string;
  /** Counted runs of each command in each tree. */
  readonly runs: number;
  /** Some of the commands' names; all by default. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
}

/**
 * Of processor time (ms), memory (MB), or the least ms of a run of a network. Ratios are of minima: above 1, this tree needs more.
 */
export interface AgainstRow {
  readonly what: string;
  readonly ratio: number;
  /** The other tree against itself. */
  readonly noise: number;
  readonly oursMin: number;
  readonly oursMedian: number;
  readonly otherMin: number;
  readonly otherMedian: number;
}

type Figures = Readonly<Record<string, number>>;

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly code?: number;
  readonly read?: (printed: string) => Figures;
}

const speedSchema = v.object({
  networks: v.array(
    v.object({
      name: v.string(),
      rows: v.array(v.object({ backend: v.string(), batch: number(), minMs: number() })),
      peakMb: number(),
    }),
  ),
});

const usageSchema = v.object({ 'CPU ms': number(), 'peak MB': number() });

const inputs = (folder: string) => ({
  actions: join(folder, 'actions'),
  weights: join(folder, 'run', 'best.safetensors'),
  again: join(folder, 'again'),
});

function commandsFor(folder: string): Command[] {
  const { actions, weights, again } = inputs(folder);
  const test = join(actions, 'test');
  const bench = ['--threads', '1', '--batch', '1', '--runs', '15', '--json'];
  const networks = ['vmf-0.1g', 'vmf-0.5g', 'mobile-former-26m'];
  return [
    { name: 'version', args: ['--version'] },
    { name: 'info', args: ['info', 'vmf-0.1g'] },
    { name: 'wrong-option', args: ['predict', '--top', 'x'], code: 2 },
    { name: 'predict', args: ['predict', test, '--weights', weights, '--json'] },
    { name: 'timeline', args: ['predict', test, '--weights', weights, '--json', '--timeline'] },
    { name: 'train', args: trainArguments(actions, again) },
    ...networks.map((name) => ({ name, args: ['bench', name, ...bench], read: networkFigures })),
  ];
}

const trainArguments = (actions: string, out: string): string[] => [
  ...[
    'train',
    actions,
    '--out',
    out,
    '--model',
    'vmf-0.1g',
    '--recipe',
    'standard',
    '--epochs',
    '1',
    '--batch',
    '8',
    '--no-cache',
    '--json',
  ],
];

function networkFigures(printed: string): Figures {
  const [network] = v.parse(speedSchema, JSON.parse(printed)).networks;
  const rows = network?.rows.filter(({ batch }) => batch === 1) ?? [];
  const times = rows.map(({ backend, minMs }) => [`${backend} ms`, minMs] as const);
  return { ...Object.fromEntries(times), 'alone peak MB': network?.peakMb ?? Number.NaN };
}

/** Runs all commands in both trees. Throws a CheckError when one of them fails, a UsageError for a folder that is no built tree. */
export async function against({ folder: other, runs, only, say }: AgainstOptions): Promise<AgainstRow[]> {
  const ours = fileURLToPath(new URL('../../', import.meta.url));
  if (!existsSync(mainOf(other))) throw new UsageError(`${other}: not a built tree: there is no ${mainOf(other)}`);
  return withFolder(async (folder) => {
    const chosen = commandsFor(folder).filter(({ name }) => only === undefined || only.includes(name));
    if (chosen.length === 0)
      throw new UsageError(
        `--only: there are ${commandsFor('')
          .map(({ name }) => name)
          .join(', ')}`,
      );
    say('drawing clips, training weights');
    await drawActions(folder, { train: 24, val: 12, test: 48 });
    const train = { name: 'train', args: trainArguments(inputs(folder).actions, join(folder, 'run')) };
    if (chosen.some(({ name }) => name === 'predict' || name === 'timeline')) await measure(other, train, folder);
    const rows: AgainstRow[] = [];
    for (const command of chosen) {
      say(command.name);
      rows.push(...(await compared(command, { ours, other, runs, folder })));
    }
    return rows;
  });
}

interface Trees {
  readonly ours: string;
  readonly other: string;
  readonly runs: number;
  readonly folder: string;
}

async function compared(command: Command, { ours, other, runs, folder }: Trees): Promise<AgainstRow[]> {
  const trees = [ours, other, other].map((tree) => ({ tree, found: [] as Figures[] }));
  for (let i = 0; i < runs; i++) {
    for (const { tree, found } of i % 2 ? trees.toReversed() : trees) found.push(await measure(tree, command, folder));
  }
  const [first] = trees[0]?.found ?? [];
  return Object.keys(first ?? {}).map((figure) => {
    const [mine = [], its = [], again = []] = trees.map(({ found }) => found.map((each) => each[figure] ?? Number.NaN));
    return rowOf(`${command.name}: ${figure}`, mine, its, again);
  });
}

function rowOf(what: string, ours: readonly number[], other: readonly number[], again: readonly number[]): AgainstRow {
  const thousandth = (value: number) => Math.round(value * 1000) / 1000;
  return {
    what,
    ratio: thousandth(smallest(ours) / smallest([...other, ...again])),
    noise: thousandth(smallest(again) / smallest(other)),
    oursMin: rounded(smallest(ours)),
    oursMedian: rounded(median(ours)),
    otherMin: rounded(smallest([...other, ...again])),
    otherMedian: rounded(median([...other, ...again])),
  };
}

const mainOf = (tree: string): string => join(tree, 'dist', 'src', 'cli', 'main.js');

async function measure(tree: string, { name, args, code = 0, read }: Command, folder: string): Promise<Figures> {
  const usage = join(folder, 'usage.json');
  rmSync(inputs(folder).again, { recursive: true, force: true });
  const hook = new URL('./usageHook.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', hook, mainOf(tree), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, VMF_USAGE_FILE: usage },
  });
  const [printed, told, ended] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (ended !== code) throw new CheckError(`${tree}: ${name} ended with ${ended}, not ${code}: ${told.trim().slice(-500)}`);
  return { ...v.parse(usageSchema, JSON.parse(readFileSync(usage, 'utf8'))), ...read?.(printed) };
}
