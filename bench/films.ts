/** Long films: a segment at the end, the first epoch over labelled segments, and a timeline. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { takeClips } from '../src/clip/clipTensor.js';
import { decodeFrameStack } from '../src/dataset/frameStack.js';
import { openRecogniser } from '../src/inference/fileRecogniser.js';
import { Rng } from '../src/rng.js';
import { openDecoder, probe, withVideo } from '../src/video/decoder.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';
import { defaultLimits } from '../src/video/limits.js';
import { NodeAvDecoder } from '../src/video/nodeAv.js';
import { loadNodeAv } from '../src/video/nodeAvLibrary.js';
import type { BackEndName, TimeWindow } from '../src/video/types.js';
import { freshCheckpoint, withFolder } from './actions.js';
import { MissingError } from './errors.js';
import { median, rounded, smallest, timed } from './timing.js';

type Row = Readonly<Record<string, unknown>> & { readonly what: string };
type Say = (line: string) => void;

const framesPerSec = 25;

function ffmpeg(folder: string, args: string): void {
  const tools = findFfmpeg();
  if (typeof tools === 'string') throw new MissingError(`films are made with the system's ffmpeg: ${tools}`);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args.split(' ')], { cwd: folder });
}

/** 1280x720 H.264 with B-frames, grain and sound, a key frame every 2 s: one minute, encoded once and put end to end. */
function makeFilm(folder: string, minutes: number, say: Say): string {
  say(`making a film of ${minutes} minutes`);
  const picture = '-f lavfi -i testsrc2=size=1280x720:rate=25,noise=alls=6:allf=t -f lavfi -i sine=f=440:r=48000';
  const coding = '-c:v libx264 -preset veryfast -g 50 -keyint_min 50 -sc_threshold 0 -b:v 1500k -c:a aac';
  ffmpeg(folder, `${picture} -t 60 ${coding} minute.mp4`);
  writeFileSync(join(folder, 'minutes.txt'), 'file minute.mp4\n'.repeat(minutes));
  ffmpeg(folder, '-f concat -i minutes.txt -c copy film.mp4');
  ffmpeg(folder, '-i minute.mp4 -t 10 -c copy ten.mp4');
  return join(folder, 'film.mp4');
}

/** A 10 s segment at the end of a film against a file of 10 s, in turn; and the first epoch over segments. */
export const filmSegments = (options: { runs: number; minutes: number; say: Say }): Promise<Row[]> =>
  withFolder(async (folder) => {
    const film = makeFilm(folder, options.minutes, options.say);
    const rows: Row[] = [];
    for (const name of ['node-av', 'ffmpeg'] as const)
      rows.push(await segmentAtEnd(name, film, join(folder, 'ten.mp4'), options));
    return [...rows, firstEpoch(film, 200)];
  });

async function segmentAtEnd(
  name: BackEndName,
  film: string,
  ten: string,
  { runs, say }: { runs: number; say: Say },
): Promise<Row> {
  const decoder = openDecoder(name);
  const endSec = Math.floor(probe(openDecoder(), film).durationSec);
  const request = { times: { evenly: 32 }, size: { shortSide: 110 } };
  const read = (path: string, part?: TimeWindow) =>
    timed(() => withVideo(decoder, path, (video) => video.frames(request), part).rgb.length);
  const [segment, file]: [number[], number[]] = [[], []];
  for (let i = 0; i <= runs; i++) {
    const early = i % 2 ? await read(ten) : undefined;
    const { ms } = await read(film, { startSec: endSec - 10, endSec });
    const { ms: tenMs } = early ?? (await read(ten));
    say(`${name}: ${ms.toFixed(0)} ms, a file of 10 s ${tenMs.toFixed(0)} ms`);
    if (i === 0) continue;
    segment.push(ms);
    file.push(tenMs);
  }
  const ratio = (of: (times: number[]) => number) => rounded((of(segment) - 100) / of(file));
  return {
    what: `${name}: the last 10 s of the film against a file of 10 s`,
    ...{ segmentMs: rounded(median(segment)), fileMs: rounded(median(file)) },
    ...{ segmentMinMs: rounded(smallest(segment)), fileMinMs: rounded(smallest(file)) },
    ...{ ratioLess100Ms: ratio(median), ratioOfMinimaLess100Ms: ratio(smallest), target: 1.3 },
  };
}

/** Reads labelled segments of 5 to 20 s as the first epoch does, and counts what goes into the codec. */
function firstEpoch(film: string, count: number): Row {
  const av = loadNodeAv();
  if (typeof av === 'string') throw new MissingError(`node-av: ${av}`);
  const decoder = new NodeAvDecoder(av, defaultLimits);
  const { durationSec } = probe(decoder, film);
  const rng = new Rng(['segments']);
  let labelledSec = 0;
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    const lengthSec = rng.uniform(5, 20);
    const startSec = rng.uniform(0, durationSec - lengthSec);
    labelledSec += lengthSec;
    const segment = { startSec, endSec: startSec + lengthSec };
    const size = { width: 110, height: 110, keepAspect: 'cover' } as const;
    decodeFrameStack(decoder, { path: film, segment, decoder: 'node-av', colour: '', evenly: 32, startSec: 0, size });
  }
  const decodedSec = decoder.packetsDecoded / framesPerSec;
  return {
    what: `the first epoch over ${count} segments of 5 to 20 s`,
    ...{ labelledSec: rounded(labelledSec), decodedSec, ratio: rounded(decodedSec / labelledSec), target: 1.5 },
    tookSec: rounded((performance.now() - startMs) / 1000),
  };
}

/** The timeline of a film against FFmpeg's decoding of all of it, and the network alone; once each, in turn. */
export const filmTimeline = ({ runs, minutes, say }: { runs: number; minutes: number; say: Say }): Promise<Row[]> =>
  withFolder(async (folder) => {
    const film = makeFilm(folder, minutes, say);
    const recogniser = await openRecogniser(freshCheckpoint('vmf-0.1g', 12), { mode: 'throughput' });
    const times = { timeline: [] as number[], timelineCpu: [] as number[], decode: [] as number[], decodeCpu: [] as number[] };
    try {
      const [, windows] = [await recogniser.warmUp(), 60 * minutes];
      for (let i = 0; i < runs; i++) {
        const before = process.cpuUsage();
        const { ms } = await timed(() => recogniser.timeline(film));
        const { user, system } = process.cpuUsage(before);
        times.timeline.push(ms / 1000);
        times.timelineCpu.push((user + system) / 1e6);
        const { seconds, cpuSeconds } = fullDecode(film);
        times.decode.push(seconds);
        times.decodeCpu.push(cpuSeconds);
        say(`timeline ${(ms / 1000).toFixed(0)} s, FFmpeg's decoding ${seconds.toFixed(0)} s`);
      }
      const networkSec = (await networkMs(recogniser, join(folder, 'ten.mp4'))) * (windows / 1000);
      const [timelineSec, decodeSec] = [median(times.timeline), median(times.decode)];
      return [
        {
          what: `the timeline of ${minutes} minutes of 720p, vmf-0.1g, a window a second`,
          ...{ timelineSec: rounded(timelineSec), ffmpegSec: rounded(decodeSec), networkSec: rounded(networkSec) },
          ...{ ratio: rounded(timelineSec / Math.max(decodeSec, networkSec)), target: 1.3 },
          ...{ timelineCpuSec: rounded(median(times.timelineCpu)), ffmpegCpuSec: rounded(median(times.decodeCpu)) },
          cores: cpus().length,
        },
      ];
    } finally {
      await recogniser.close();
    }
  });

function fullDecode(film: string): { seconds: number; cpuSeconds: number } {
  const args = ['-hide_banner', '-benchmark', '-nostdin', '-i', film, '-an', '-f', 'null', '-'];
  const said = execFileSync('sh', ['-c', 'exec ffmpeg "$@" 2>&1', 'sh', ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const [, user, system, real] = /bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/.exec(said) ?? [];
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system) };
}

/** Of a window, where the network has all cores and clips in memory. */
async function networkMs(recogniser: Awaited<ReturnType<typeof openRecogniser>>, path: string): Promise<number> {
  const { clips } = await recogniser.read(path);
  const count = 100;
  const copies = Array.from({ length: count }, () => takeClips({ ...clips, data: clips.data.slice() }, 0, 1));
  const { ms } = await timed(async () => {
    for (const copy of copies) await recogniser.score({ clips: copy });
  });
  return ms / count;
}
