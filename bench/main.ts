/** `npm run bench -- [NAME] [options]` */

import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { VmfError } from '../src/errors.js';
import { CheckError, MissingError, UsageError } from './errors.js';
import { machineSlug, setting } from './machine.js';

const usage = `npm run bench -- [NAME] [options]

  race                      (default) this engine against PyTorch at its best, and others
                              --rows inference,training (or conv3d, onnx3d, threads, file, all, or a single one such as
                              inference-0.1g)  --runs N  --threads N (1)
  against FOLDER            this tree against another built one, in turn: start-up, bulk prediction, training, inference; processor
                            time and peak memory, beside the other tree against itself   --runs N (10)  --only NAME,NAME
  throughput [DATA]         video to label: decoding, network, and both overlapped
                              --weights FILE  --clips N (60)  --runs N (5)
  scaling                   time and memory against frames, size, batch, tokens and threads, with fitted exponents
                              --runs N (7)
  plot                      draws bench/results/*.svg from the results that were kept
  memory                    peak of training vmf-0.1g; growth over a thousand predictions
  load                      time to build, lower and load the family's graphs
  ut-interaction LIST       accuracy on real clips: by the split column, and one sequence of a set left out
                              --seeds 0,1,2  --only split,whole,set1,set2  --init NAME|FILE (from scratch)
  ablation DATA             each part of the recipe switched off alone, on generated clips (DATA of vmf synth), 10 a class
                              --seeds 0,1,2  --only NAME,NAME
  semi-supervised DATA      20 % of the labels alone, with the other clips unlabelled, and all labels  --only few,semi,all
  clips-per-class DATA      accuracy by labelled clips of each class: from scratch, frozen, fine-tuned; a table and a plot
                              --draws N (5)  --counts 1,2,4,8,16,all  --only scratch,frozen,tuned  --init NAME|FILE (default)
                              --start SEC (0)  --split test|val  --out FOLDER (runs/clips-per-class), where finished runs are kept
  suggest DATA              labels in the order of vmf suggest against random order, by a linear probe on frozen features
                              --seeds 0,1,2  --init NAME|FILE (default)
  sense-of-time [FOLDER]    the demo's network with and without temporal kernels, on the same clips
  int8                      int8 against float: the whole network, and single layers, which show why
                              --weights FILE  --runs N (21)
  stream [MODEL]            streams, sliding and causal: cost of a new frame, an hour's memory, delay when live
                              --frames N (28800)  --runs N (15)
  stream-accuracy DATA      top-1 of clips on their own and right after another one   --weights FILE
  film-segments             the last 10 s of a long film against a file of 10 s; what the first epoch over 200 segments decodes
                              --runs N (7)  --minutes N (120)
  film-timeline             the timeline of a long film against FFmpeg's decoding of it, and the network alone
                              --runs N (1)  --minutes N (60)
  profile inference|training  where the time goes, by operator and shape
                              --top N (30)

  --json                    one line of JSON on standard output instead of a table
  --keep                    keeps that JSON under bench/results/

VMF_PYTHON names the python that has PyTorch. Exit codes: 1 a check failed, 2 wrong arguments or something is missing.`;

const resultsFolder = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);
const { values, positionals } = readArguments();

type Row = Readonly<Record<string, unknown>> & { readonly what: string };
/** Rows, with a table for people where the rows are no good one. */
type Measured = readonly Row[] | { readonly rows: readonly Row[]; readonly table: string };
type Benchmark = (argument: string | undefined) => Promise<Measured>;

const benchmarks: Readonly<Record<string, Benchmark>> = {
  race: async () => {
    const { race } = await import('./compare.js');
    const runs = values.runs === undefined ? {} : { runs: count('--runs', values.runs) };
    return asRows(await race({ rows: values.rows.split(','), ...runs, threads: count('--threads', values.threads), say }));
  },
  against: async (folder) => {
    if (folder === undefined) throw new UsageError('against: name the other tree');
    const only = values.only === undefined ? {} : { only: values.only.split(',') };
    const { against } = await import('./against.js');
    return asRows(await against({ folder, runs: count('--runs', values.runs ?? '10'), ...only, say }));
  },
  throughput: async (data) => {
    const { throughput } = await import('./throughput.js');
    const rounds = count('--runs', values.runs ?? '5');
    return asRows(await throughput({ data, weights: values.weights, clips: count('--clips', values.clips), rounds, say }));
  },
  scaling: async () => asRows(await (await import('./scaling.js')).scaling(count('--runs', values.runs ?? '7'), say)),
  plot: async () => asRows(await (await import('./plot.js')).plot(resultsFolder)),
  memory: async () => asRows(await (await import('./memory.js')).memory(say)),
  load: async () => asRows(await (await import('./load.js')).load(say)),
  'ut-interaction': async (list) => {
    if (list === undefined) throw new UsageError('ut-interaction: name the list of its clips (manifest.csv)');
    const only = values.only === undefined ? {} : { only: values.only.split(',') };
    const init = values.init === undefined ? {} : { init: values.init };
    return asRows(await (await import('./utInteraction.js')).utInteraction({ list, seeds: seedList(), ...only, ...init, say }));
  },
  ablation: async (data) => {
    if (data === undefined) throw new UsageError('ablation: name a folder of generated clips');
    const only = values.only === undefined ? {} : { only: values.only.split(',') };
    return asRows(await (await import('./ablation.js')).ablation({ data, seeds: seedList(), ...only, say }));
  },
  'semi-supervised': async (data) => {
    if (data === undefined) throw new UsageError('semi-supervised: name a folder of generated clips');
    const only = values.only === undefined ? {} : { only: values.only.split(',') };
    const [seed = 0] = seedList();
    return asRows(await (await import('./semiSupervised.js')).semiSupervised({ data, seed, ...only, say }));
  },
  'clips-per-class': async (data) => {
    if (data === undefined) throw new UsageError('clips-per-class: name a data set');
    const { clipsPerClass } = await import('./clipsPerClass/clipsPerClass.js');
    const { readChoices } = await import('./clipsPerClass/choices.js');
    const { counts, only, init = 'default', start, split, out } = values;
    const choices = readChoices({ counts, only, start, split });
    const { rows, table } = await clipsPerClass({ data, draws: count('--draws', values.draws), ...choices, init, out, say });
    return { rows: asRows(rows), table };
  },
  suggest: async (data) => {
    if (data === undefined) throw new UsageError('suggest: name a data set');
    const { suggestStudy } = await import('./suggest.js');
    return asRows(await suggestStudy({ data, init: values.init ?? 'vmf-52m', seeds: seedList(), say }));
  },
  'sense-of-time': async (folder = join(tmpdir(), 'vmf-sense-of-time')) =>
    asRows(await (await import('./senseOfTime.js')).senseOfTime(folder, say)),
  int8: async () => {
    if (values.weights === undefined) throw new UsageError('int8: name the weights with --weights FILE');
    const runs = count('--runs', values.runs ?? '21');
    return asRows(await (await import('./int8.js')).int8({ weights: values.weights, runs, say }));
  },
  stream: async (model = 'vmf-0.1g') => {
    const { stream } = await import('./stream.js');
    const rounds = count('--runs', values.runs ?? '15');
    return asRows(await stream({ model, frames: count('--frames', values.frames), rounds, say }));
  },
  'stream-accuracy': async (data) => {
    if (data === undefined || values.weights === undefined)
      throw new UsageError('stream-accuracy: name a data set, and the weights with --weights FILE');
    return asRows(await (await import('./streamAccuracy.js')).streamAccuracy(data, values.weights, say));
  },
  'film-segments': async () => (await import('./films.js')).filmSegments({ ...filmOptions('7', '120'), say }),
  'film-timeline': async () => (await import('./films.js')).filmTimeline({ ...filmOptions('1', '60'), say }),
  profile: async (mode) => {
    if (mode !== 'inference' && mode !== 'training') throw new UsageError(`profile: expected inference or training, got ${mode}`);
    return asRows(await (await import('./profile.js')).profile(mode, count('--top', values.top)));
  },
};

function readArguments() {
  const options = {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rows: { type: 'string', default: 'inference,training' },
    runs: { type: 'string' },
    threads: { type: 'string', default: '1' },
    weights: { type: 'string' },
    clips: { type: 'string', default: '60' },
    top: { type: 'string', default: '30' },
    frames: { type: 'string', default: '28800' },
    seeds: { type: 'string', default: '0,1,2' },
    only: { type: 'string' },
    draws: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1,2,4,8,16,all' },
    init: { type: 'string' },
    start: { type: 'string', default: '0' },
    split: { type: 'string', default: 'test' },
    minutes: { type: 'string' },
    out: { type: 'string', default: 'runs/clips-per-class' },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return stop(error);
  }
}

const filmOptions = (runs: string, minutes: string) => ({
  runs: count('--runs', values.runs ?? runs),
  minutes: count('--minutes', values.minutes ?? minutes),
});

const asRows = (rows: readonly (object & { readonly what: string })[]): readonly Row[] => rows.map((row) => ({ ...row }));

const seedList = (): number[] => values.seeds.split(',').map((seed) => count('--seeds', String(Number(seed) + 1)) - 1);

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`${option}: expected a whole number from 1, got "${text}"`);
}

async function main(): Promise<void> {
  const [name = 'race', argument, ...rest] = positionals;
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (!benchmark || rest.length > 0) throw new UsageError(`no benchmark "${positionals.join(' ')}"\n\n${usage}`);
  const measured = await benchmark(argument);
  const { rows, table } = 'table' in measured ? measured : { rows: measured, table: undefined };
  const result = { benchmark: name, rows, ...setting() };
  if (values.json) console.log(JSON.stringify(result));
  else show(result, table);
  if (values.keep) keep(name, result);
}

type Result = { readonly rows: readonly Row[] } & ReturnType<typeof setting>;

function show({ rows, machine, date, versions }: Result, table: string | undefined): void {
  const { cpu, cores, vectors, memoryGb, system } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${cpu}, ${vectors}, ${cores} cores, ${memoryGb} GB, ${system}; ${list.join(', ')}; ${date}`);
  if (table !== undefined) {
    process.stdout.write(table);
    return;
  }
  for (const row of rows) {
    const facts = Object.entries(row).filter(([key, value]) => key !== 'what' && typeof value !== 'object');
    console.log(`${row.what}\n  ${facts.map(([key, value]) => `${key} ${value}`).join('  ')}`);
  }
}

function keep(name: string, result: ReturnType<typeof setting> & object): void {
  mkdirSync(resultsFolder, { recursive: true });
  const path = `${resultsFolder}${name}-${machineSlug(result.machine)}.json`;
  writeFileSync(path, `${JSON.stringify(result, undefined, 1)}\n`);
  say(`kept as ${path}`);
}

function stop(error: unknown): never {
  const wrongArguments = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (wrongArguments || error instanceof MissingError || error instanceof CheckError || error instanceof VmfError)
    say(error.message);
  else say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(wrongArguments || error instanceof MissingError ? 2 : 1);
}

if (values.help) say(usage);
else await main().catch(stop);
