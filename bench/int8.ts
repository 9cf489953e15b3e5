/** Speed of int8 against float on one thread: the whole network, and single layers. Accuracy is `vmf quantize --test`. */

import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import * as ort from 'onnxruntime-node';
import { clipsFrom } from '../src/clip/clipTensor.js';
import { pixelClips } from '../src/clip/pixelClips.js';
import { readCheckpoint } from '../src/export/exportWeights.js';
import { floatModel } from '../src/export/floatModel.js';
import { storeLinearWeights } from '../src/export/storedWeights.js';
import { lower } from '../src/graph/lowering/lower.js';
import { type OnnxModel, type OnnxNode, type OnnxTensor, writeOnnx } from '../src/graph/onnx.js';
import { sizeOf } from '../src/graph/shape.js';
import { clipShape, inferenceGraph } from '../src/models/network.js';
import type { VideoMobileFormerConfig } from '../src/models/videoMobileFormerConfig.js';
import { blockSize } from '../src/node/blockSize.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import { ActivationRanges } from '../src/quantize/activationRanges.js';
import { int8Model } from '../src/quantize/int8Model.js';
import { hasChannels, leastChannels, quantizableLayers } from '../src/quantize/layers.js';
import { Rng } from '../src/rng.js';
import type { Checkpoint } from '../src/weights/checkpoint.js';
import { clipInput } from '../src/weights/onnxWeights.js';
import { randomClips } from './network.js';
import { median, rounded, smallest, timed } from './timing.js';

export interface Int8Row {
  readonly what: string;
  readonly floatMs: number;
  readonly int8Ms: number;
  /** float / int8 of the medians: above 1, int8 is faster. */
  readonly ratio: number;
  readonly floatMinMs: number;
  readonly int8MinMs: number;
  readonly ratioOfMinima: number;
  /** Whether the processor adds four products of bytes at once (VNNI), without which int8 gains little. */
  readonly vnni: string;
}

export interface Int8Options {
  readonly weights: string;
  /** Timed runs of each. */
  readonly runs: number;
  readonly say: (line: string) => void;
}

export async function int8({ weights, runs, say }: Int8Options): Promise<Int8Row[]> {
  const checkpoint = await readCheckpoint(weights);
  const sessions = await networks(checkpoint);
  say(`${checkpoint.config.name}, one clip, one thread; VNNI: ${vnni()}`);
  const { name } = checkpoint.config;
  const [own, exported, quantised] = await inTurn(sessions, runs);
  const rows = [
    compared(`${name}: int8 against this program's float path`, own, quantised),
    compared(`${name}: int8 against the exported float model`, exported, quantised),
  ];
  for (const layer of layers(checkpoint)) {
    const [float, whole] = await inTurn(await layerSessions(layer), runs);
    rows.push(
      compared(`${layer.kind} ${layer.channels} channels, ${layer.images} x ${layer.edge} x ${layer.edge}`, float, whole),
    );
  }
  return rows;
}

/** From the processor's flags; Linux only. */
export function vnni(): string {
  if (platform() !== 'linux') return 'unknown';
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  return /\b(avx512_vnni|avx_vnni|asimddp)\b/.exec(flags)?.[1] ?? 'no';
}

interface TimedSession {
  readonly session: ort.InferenceSession;
  readonly feeds: Readonly<Record<string, ort.Tensor>>;
}

async function inTurn(sessions: readonly TimedSession[], runs: number): Promise<number[][]> {
  const times = sessions.map((): number[] => []);
  for (let i = -3; i < runs; i++) {
    for (const [k, { session, feeds }] of sessions.entries()) {
      await session.run(feeds); // brings its weights back into the caches
      const { ms } = await timed(() => session.run(feeds));
      if (i >= 0) times[k]?.push(ms);
    }
  }
  for (const { session } of sessions) await session.release();
  return times;
}

function compared(what: string, float: readonly number[] = [], whole: readonly number[] = []): Int8Row {
  const [floatMs, int8Ms, floatMinMs, int8MinMs] = [median(float), median(whole), smallest(float), smallest(whole)];
  const ratios = { ratio: rounded(floatMs / int8Ms), ratioOfMinima: rounded(floatMinMs / int8MinMs) };
  const times = {
    floatMs: rounded(floatMs),
    int8Ms: rounded(int8Ms),
    floatMinMs: rounded(floatMinMs),
    int8MinMs: rounded(int8MinMs),
  };
  return { what, ...times, ...ratios, vnni: vnni() };
}

const openSession = (model: Uint8Array): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });

async function networks(checkpoint: Checkpoint): Promise<TimedSession[]> {
  const { config, preprocess } = checkpoint;
  const { frames, height, width } = config;
  const clip = randomClips(config, 1, 'int8');
  const pixels = pixelClips(clipsFrom(clip, 1, config), preprocess);
  const own = lower({ outputs: { logits: inferenceGraph(config, checkpoint, 1) } }, { block: await blockSize() });
  const float = floatModel(checkpoint);
  const fed = { [clipInput]: new ort.Tensor('float32', pixels, [1, frames, 3, height, width]) };
  return [
    { session: await openSession(own), feeds: { clips: new ort.Tensor('float32', clip, clipShape(config, 1)) } },
    { session: await openSession(writeOnnx(float)), feeds: fed },
    { session: await openSession(writeOnnx(await allInInt8(checkpoint, float, pixels))), feeds: fed },
  ];
}

/** Ranges do not affect time. */
async function allInInt8({ config }: Checkpoint, float: OnnxModel, pixels: Float32Array): Promise<OnnxModel> {
  const base = storeLinearWeights(float);
  const all = quantizableLayers(base, config).filter((layer) => hasChannels(layer, leastChannels));
  const engine = openRuntime({ threads: 1 });
  try {
    const seen = await new ActivationRanges(engine, config, [pixels]).histograms(
      float,
      all.flatMap(({ input, result }) => [input, result]),
    );
    return int8Model(base, all, new Map([...seen].map(([name, histogram]) => [name, histogram.steps('minmax')])));
  } finally {
    await engine.close();
  }
}

interface Layer {
  readonly kind: '1x1' | 'depthwise 3x3';
  readonly images: number;
  readonly channels: number;
  readonly edge: number;
}

function layers(checkpoint: Checkpoint): Layer[] {
  const config = checkpoint.config as VideoMobileFormerConfig;
  let [width, edge] = [config.stem, Math.ceil(config.height / 2)];
  const inner: Omit<Layer, 'kind'>[] = [];
  for (const block of config.blocks) {
    if (block.kind === 'mf') inner.push({ images: config.frames, channels: width * block.expand, edge });
    if (block.kind === 'down' || (block.kind === 'lite' && block.stride === 2)) edge = Math.ceil(edge / 2);
    width = block.out;
  }
  const picked = inner.filter((_, i) => i === 0 || i === inner.length >> 1 || i === inner.length - 1);
  return picked.flatMap((size): Layer[] => [
    { kind: '1x1', ...size },
    { kind: 'depthwise 3x3', ...size },
  ]);
}

/** Enough layers to amortise quantizing the input and dequantizing the output. */
const depth = 4;

async function layerSessions(layer: Layer): Promise<TimedSession[]> {
  const shape = [layer.images, layer.channels, layer.edge, layer.edge];
  const rng = new Rng(['int8 layer']);
  const x = new ort.Tensor(
    'float32',
    Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform(-1, 1)),
    shape,
  );
  const models = [floatLayers(layer, shape), int8Layers(layer, shape)];
  return Promise.all(models.map(async (model) => ({ session: await openSession(writeOnnx(model)), feeds: { x } })));
}

const attributesOf = ({ kind, channels }: Layer) =>
  kind === '1x1' ? { kernel_shape: [1, 1] } : { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: channels };

const kernelOf = ({ kind, channels }: Layer) => (kind === '1x1' ? [channels, channels, 1, 1] : [channels, 1, 3, 3]);

const tensor = (name: string, type: OnnxTensor['type'], shape: readonly number[], values: ArrayBufferView): OnnxTensor => ({
  ...{ name, type, shape },
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

const mean = (from: string): OnnxNode => ({ type: 'ReduceMean', inputs: [from], outputs: ['y'], attributes: { axes: [2, 3] } });

function floatLayers(layer: Layer, shape: readonly number[]): OnnxModel {
  const kernel = kernelOf(layer);
  const weights = Float32Array.from({ length: sizeOf(kernel) }, (_, i) => Math.sin(i));
  const names = ['x', ...Array.from({ length: depth }, (_, i) => `x${i}`)];
  const convolutions = names.slice(1).map((output, i): OnnxNode => {
    return { type: 'Conv', inputs: [names[i] ?? '', 'w', 'b'], outputs: [output], attributes: attributesOf(layer) };
  });
  return {
    ...framed(shape, layer),
    nodes: [...convolutions, mean(names.at(-1) ?? '')],
    initializers: [
      tensor('w', 'float32', kernel, weights),
      tensor('b', 'float32', [layer.channels], new Float32Array(layer.channels)),
    ],
  };
}

function int8Layers(layer: Layer, shape: readonly number[]): OnnxModel {
  const kernel = kernelOf(layer);
  const { channels } = layer;
  const steps = ['s', 'z'];
  const names = ['q', ...Array.from({ length: depth }, (_, i) => `q${i}`)];
  const convolutions = names.slice(1).map((output, i): OnnxNode => {
    const inputs = [names[i] ?? '', ...steps, 'w', 'ws', 'wz', ...steps, 'b'];
    return { type: 'QLinearConv', inputs, outputs: [output], attributes: attributesOf(layer) };
  });
  return {
    ...framed(shape, layer),
    nodes: [
      { type: 'QuantizeLinear', inputs: ['x', ...steps], outputs: ['q'] },
      ...convolutions,
      { type: 'DequantizeLinear', inputs: [names.at(-1) ?? '', ...steps], outputs: ['d'] },
      mean('d'),
    ],
    initializers: [
      tensor('s', 'float32', [], Float32Array.of(1 / 100)),
      tensor('z', 'uint8', [], Uint8Array.of(128)),
      tensor(
        'w',
        'int8',
        kernel,
        Int8Array.from({ length: sizeOf(kernel) }, (_, i) => Math.round(64 * Math.sin(i))),
      ),
      tensor('ws', 'float32', [channels], new Float32Array(channels).fill(1 / 2000)),
      tensor('wz', 'int8', [channels], new Int8Array(channels)),
      tensor('b', 'int32', [channels], new Int32Array(channels)),
    ],
  };
}

function framed(shape: readonly number[], { images, channels }: Layer) {
  return {
    opsets: { '': 17 },
    inputs: [{ name: 'x', type: 'float32', shape }] as const,
    outputs: [{ name: 'y', type: 'float32', shape: [images, channels, 1, 1] }] as const,
  };
}
