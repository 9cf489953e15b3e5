/** `vmf synth DIR`: generates labelled clips of human actions. */
import { Command } from 'commander';
import { ConfigError, VmfError } from '../errors.js';
import { type ActionClass, actionClasses, isActionClass } from '../synth/actions.js';
import { type GenerateOptions, type GenerateResult, generateActions } from '../synth/generate.js';
import { countsOf, defaultSynthOptions, type SplitName } from '../synth/options.js';

interface Flags {
  readonly clips: number;
  readonly split: [number, number, number];
  readonly train?: number;
  readonly val?: number;
  readonly test?: number;
  readonly classes?: ActionClass[];
  readonly seed: number;
  readonly size: { width: number; height: number };
  readonly fps: number;
  readonly codec: 'h264' | 'vp9';
  readonly difficulty: number;
  readonly encoder: 'auto' | 'node-av' | 'ffmpeg';
  readonly workers?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function synthCommand(): Command {
  const { width, height, frameRate, seed, codec, difficulty } = defaultSynthOptions;
  return new Command('synth')
    .description('generate clips of human actions, drawn by code, as encoded video files with train, val and test folders')
    .argument('<dir>', 'folder to write: new, empty, or of an earlier run')
    .option('--clips <n>', 'clips in all', whole('--clips'), 1240)
    .option('--split <train/val/test>', 'their shares', shares, [24, 1, 6])
    .option('--train <n>', 'training clips, instead of --clips and --split', whole('--train'))
    .option('--val <n>', 'validation clips', whole('--val'))
    .option('--test <n>', 'test clips', whole('--test'))
    .option('--classes <a,b,...>', `some of ${actionClasses.join(', ')} (default: all)`, classList)
    .option('--seed <n>', 'another seed, other clips', whole('--seed'), seed)
    .option('--size <WxH>', 'pixels', size, { width, height })
    .option('--fps <n>', 'frames a second', decimal('--fps'), frameRate)
    .option('--codec <name>', 'h264 (mp4) or vp9 (webm)', oneOf('--codec', ['h264', 'vp9']), codec)
    .option('--difficulty <x>', 'variety from 0 (none) to 1', decimal('--difficulty'), difficulty)
    .option('--encoder <name>', 'auto, node-av or ffmpeg', oneOf('--encoder', ['auto', 'node-av', 'ffmpeg']), 'auto')
    .option('--workers <n>', 'threads (default: one a processor, at most 8)', whole('--workers'))
    .option('--force', 'replace an earlier set with other options')
    .option('--json', 'print what was made as JSON')
    .action((folder: string, flags: Flags) => run(folder, flags));
}

async function run(folder: string, flags: Flags): Promise<void> {
  const started = performance.now();
  const showProgress = process.stderr.isTTY && flags.json !== true;
  const stop = new AbortController();
  const interrupt = () => stop.abort(new VmfError('synth: interrupted; the same command continues where it stopped'));
  process.once('SIGINT', interrupt);
  try {
    const result = await generateActions(
      folder,
      generateOptions(flags),
      (done, total) => showProgress && process.stderr.write(`\r${done} of ${total} clips${done === total ? '\n' : ''}`),
      stop.signal,
    );
    report(folder, result, (performance.now() - started) / 1000, flags.json === true);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function generateOptions(flags: Flags): GenerateOptions {
  return {
    counts: counts(flags),
    seed: flags.seed,
    ...flags.size,
    frameRate: flags.fps,
    codec: flags.codec,
    difficulty: flags.difficulty,
    encoder: flags.encoder,
    force: flags.force === true,
    ...(flags.classes === undefined ? {} : { classes: flags.classes }),
    ...(flags.workers === undefined ? {} : { workers: flags.workers }),
  };
}

function counts({ clips, split, train, val, test }: Flags): Record<SplitName, number> {
  if (train === undefined && val === undefined && test === undefined) return countsOf(clips, split);
  return { train: train ?? 0, val: val ?? 0, test: test ?? 0 };
}

function report(folder: string, { summary, written, reused }: GenerateResult, seconds: number, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ folder, seconds: Number(seconds.toFixed(2)), written, reused, ...summary })}\n`);
    return;
  }
  const { train, val, test } = summary.options.counts;
  const done = written === 0 ? 'all there already' : `${written} written in ${seconds.toFixed(1)} s with ${summary.encoder}`;
  process.stdout.write(
    `${folder}: ${summary.clips} clips of ${summary.options.classes.length} actions (train ${train}, val ${val}, test ${test}); ${done}${
      written > 0 && reused > 0 ? `, ${reused} there already` : ''
    }\n`,
  );
}

const whole = (name: string) => (text: string) => {
  if (!/^\d+$/.test(text)) throw new ConfigError(`${name}: expected a whole number, got "${text}"`);
  return Number(text);
};

const decimal = (name: string) => (text: string) => {
  if (!/^\d+(\.\d+)?$|^\.\d+$/.test(text)) throw new ConfigError(`${name}: expected a number, got "${text}"`);
  return Number(text);
};

const oneOf =
  <T extends string>(name: string, choices: readonly T[]) =>
  (text: string): T => {
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw new ConfigError(`${name}: expected ${choices.join(' or ')}, got "${text}"`);
    return choice;
  };

function size(text: string): { width: number; height: number } {
  const parts = /^(\d+)x(\d+)$/.exec(text);
  if (parts === null) throw new ConfigError(`--size: expected WIDTHxHEIGHT in pixels, such as 160x128, got "${text}"`);
  return { width: Number(parts[1]), height: Number(parts[2]) };
}

function shares(text: string): [number, number, number] {
  const parts = text.split('/').map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const [train, val, test] = parts;
  if (parts.length !== 3 || train === undefined || val === undefined || test === undefined || !(train + val + test > 0)) {
    throw new ConfigError(`--split: expected three shares such as 80/5/15 for train/val/test, got "${text}"`);
  }
  return [train, val, test];
}

function classList(text: string): ActionClass[] {
  return text.split(',').map((name) => {
    if (!isActionClass(name)) throw new ConfigError(`--classes: no class "${name}"; there are ${actionClasses.join(', ')}`);
    return name;
  });
}
