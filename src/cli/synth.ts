/** `vmf synth DIR`: generates labelled clips of human actions, or films of them. */
import { Command, Option } from 'commander';
import { ConfigError, VmfError } from '../errors.js';
import { type ActionClass, actionClasses, isActionClass } from '../synth/actions.js';
import { defaultFilmOptions } from '../synth/films/filmOptions.js';
import { type FilmsResult, type GenerateFilmsOptions, generateFilms } from '../synth/films/generateFilms.js';
import { type GenerateOptions, type GenerateResult, generateActions } from '../synth/generate.js';
import { countsOf, defaultSynthOptions, type SplitName } from '../synth/options.js';

interface Flags {
  readonly films?: number;
  readonly minutes?: number;
  readonly people?: number;
  readonly background?: number;
  readonly overlap?: true;
  readonly clips?: number;
  readonly split?: [number, number, number];
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
    .option('--clips <n>', 'clips in all (default: 1240)', whole('--clips'))
    .option('--films <n>', 'long films with labels.csv (path,label,start,end,subject,split) instead of clips', whole('--films'))
    .option('--minutes <n>', `length of each film (default: ${defaultFilmOptions.minutes})`, decimal('--minutes'))
    .option('--people <n>', `people in each film (default: ${defaultFilmOptions.people})`, whole('--people'))
    .option(
      '--background <share>',
      `share of the time without action (default: ${defaultFilmOptions.background})`,
      decimal('--background'),
    )
    .option('--overlap', 'people act at the same time (default: they take turns)')
    .option('--split <train/val/test>', 'shares of the clips or films (default: 24/1/6, of films 4/1/1)', shares)
    .option('--train <n>', 'training clips or films, instead of --clips and --split', whole('--train'))
    .option('--val <n>', 'validation clips or films', whole('--val'))
    .option('--test <n>', 'test clips or films', whole('--test'))
    .option('--classes <a,b,...>', `some of ${actionClasses.join(', ')} (default: all)`, classList)
    .option('--seed <n>', 'another seed, other clips', whole('--seed'), seed)
    .addOption(new Option('--size <WxH>', 'pixels').argParser(size).default({ width, height }, `${width}x${height}`))
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
  const things = flags.films === undefined ? 'clips' : 'films';
  const onProgress = (done: number, total: number) =>
    showProgress && process.stderr.write(`\r${done} of ${total} ${things}${done === total ? '\n' : ''}`);
  process.once('SIGINT', interrupt);
  try {
    const done =
      flags.films === undefined
        ? clipsDone(await generateActions(folder, clipOptions(flags), onProgress, stop.signal))
        : filmsDone(await generateFilms(folder, filmOptions(flags, flags.films), { onProgress, signal: stop.signal }));
    report(folder, done, (performance.now() - started) / 1000, flags.json === true);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** Options of both. */
function pictureOptions(flags: Flags) {
  return {
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

function clipOptions(flags: Flags): GenerateOptions {
  const onlyFilms = (['minutes', 'people', 'background', 'overlap'] as const).find((name) => flags[name] !== undefined);
  if (onlyFilms !== undefined) throw new ConfigError(`--${onlyFilms}: is about films; give --films N too`);
  return { counts: counts(flags, flags.clips ?? 1240, flags.split ?? [24, 1, 6]), ...pictureOptions(flags) };
}

function filmOptions(flags: Flags, films: number): GenerateFilmsOptions {
  if (flags.clips !== undefined) throw new ConfigError('--clips: cannot be given together with --films');
  const { minutes, people, background } = defaultFilmOptions;
  return {
    counts: counts(flags, films, flags.split ?? [4, 1, 1]),
    minutes: flags.minutes ?? minutes,
    people: flags.people ?? people,
    background: flags.background ?? background,
    overlap: flags.overlap === true,
    ...pictureOptions(flags),
  };
}

function counts({ train, val, test }: Flags, all: number, split: [number, number, number]): Record<SplitName, number> {
  if (train === undefined && val === undefined && test === undefined) return countsOf(all, split);
  return { train: train ?? 0, val: val ?? 0, test: test ?? 0 };
}

/** What was made, as JSON and as text. */
interface Done {
  readonly json: object;
  readonly text: string;
  readonly encoder: string;
  readonly written: number;
  readonly reused: number;
}

function clipsDone({ summary, written, reused }: GenerateResult): Done {
  const { counts, classes } = summary.options;
  const text = `${summary.clips} clips of ${classes.length} actions (${countsText(counts)})`;
  return { json: { written, reused, ...summary }, text, encoder: summary.encoder, written, reused };
}

function filmsDone({ summary, labelsPath, written, reused }: FilmsResult): Done {
  const { counts, classes, minutes } = summary.options;
  const films = `${summary.films} films of ${minutes} min (${countsText(counts)}) with ${summary.segments} actions of ${classes.length} classes`;
  const text = `${films}, ${Math.round(100 * summary.backgroundShare)} % background; labels in ${labelsPath}`;
  return { json: { labelsPath, written, reused, ...summary }, text, encoder: summary.encoder, written, reused };
}

const countsText = ({ train, val, test }: Readonly<Record<SplitName, number>>): string =>
  `train ${train}, val ${val}, test ${test}`;

function report(folder: string, { json, text, encoder, written, reused }: Done, seconds: number, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ folder, seconds: Number(seconds.toFixed(2)), ...json })}\n`);
    return;
  }
  const done = written === 0 ? 'all there already' : `${written} written in ${seconds.toFixed(1)} s with ${encoder}`;
  const before = written > 0 && reused > 0 ? `, ${reused} there already` : '';
  process.stdout.write(`${folder}: ${text}; ${done}${before}\n`);
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
