import { type ClipShape, sizeText } from '../clip/clipShape.js';
import { type ClipTensor, toChannelMajor, toClipMajor } from '../clip/clipTensor.js';
import { messageOf, WeightsError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import type { GraphRuntime, Session, SessionFacts, ValueFacts } from '../platform/graphRuntime.js';

/** Order of the axes: of clips (`frames`: time first, `channels`: channels first), or of pictures; `...Last`: channels last. */
export type Layout = 'frames' | 'channels' | 'framesLast' | 'images' | 'imagesLast';

/** The input of a network. `batch` is a fixed batch size; undefined for any. Sizes that the graph leaves open are those asked for. */
export interface InputForm extends ClipShape {
  readonly input: string;
  readonly layout: Layout;
  readonly batch: number | undefined;
}

/** What a network says of each item: a clip, or a frame (frame t of clip b is item t * B + b). */
export interface Answers {
  /** Of one item, without the batch axis. */
  readonly shape: readonly number[];
  readonly items: readonly Float32Array[];
  readonly perFrame: boolean;
}

const fixedSize = (size: number | string | undefined): number | undefined =>
  typeof size === 'number' && size > 0 ? size : undefined;

export const describeValue = ({ name, type, shape }: ValueFacts): string =>
  `"${name}" ${type} [${shape.map((size) => fixedSize(size) ?? '?').join(', ')}]`;

export const takesPictures = ({ layout }: Pick<InputForm, 'layout'>): boolean => layout.startsWith('images');

export function describeInput({ layout, frames, height, width }: InputForm): string {
  const size = sizeText({ height, width });
  return takesPictures({ layout }) ? `images of ${size} px, asked of each frame` : `${frames} frames of ${size} px`;
}

/** Sizes for what a graph leaves open: pixels of a side, and frames for networks of clips and of pictures. */
const usual = { side: 224, clips: 16, pictures: 8 };

/** `open` has sizes for what the graph leaves open. WeightsError for other inputs. */
export function inputForm({ inputs }: SessionFacts, open: Partial<ClipShape>, where: string): InputForm {
  const [first, ...more] = inputs;
  const shown = inputs.map(describeValue).join(', ') || 'nothing';
  const expected = 'expected one float32 input [B, 3, T, H, W], [B, T, 3, H, W], [B, T, H, W, 3], [B, 3, H, W] or [B, H, W, 3]';
  const layout = first && more.length === 0 && first.type === 'float32' ? layoutOf(first) : undefined;
  if (first === undefined || layout === undefined) throw new WeightsError(`${expected}, got ${shown}`, { path: where });
  if (layout === 'either')
    throw new WeightsError(`input ${shown} has 3 frames of 3 channels and does not say which are which; ${expected}`, {
      path: where,
    });
  const [frameAxis, heightAxis] = axes[layout];
  const size = (axis: number | undefined) => (axis === undefined ? undefined : fixedSize(first.shape[axis]));
  const { frames = takesPictures({ layout }) ? usual.pictures : usual.clips, height = usual.side, width = usual.side } = open;
  return {
    ...{ input: first.name, layout, batch: size(0), frames: size(frameAxis) ?? frames },
    ...{ height: size(heightAxis) ?? height, width: size(heightAxis + 1) ?? width },
  };
}

/** Of frames and height; width follows. */
const axes: Readonly<Record<Layout, readonly [number | undefined, number]>> = {
  frames: [1, 3],
  channels: [2, 3],
  framesLast: [1, 2],
  images: [undefined, 2],
  imagesLast: [undefined, 1],
};

/** The axis of 3 channels must be fixed; undefined when there is none. */
function layoutOf({ shape }: ValueFacts): Layout | 'either' | undefined {
  if (shape.length === 4) return shape[1] === 3 ? 'images' : shape[3] === 3 ? 'imagesLast' : undefined;
  if (shape.length !== 5) return undefined;
  if (shape[1] === 3 && shape[2] === 3) return 'either';
  return shape[1] === 3 ? 'channels' : shape[2] === 3 ? 'frames' : shape[4] === 3 ? 'framesLast' : undefined;
}

/**
 * Any ONNX network of clips or pictures: one float32 input [B, 3, T, H, W], [B, T, 3, H, W], [B, T, H, W, 3], [B, 3, H, W] or
 * [B, H, W, 3], of fixed or dynamic sizes. Networks of pictures see every frame. Ambiguous inputs are refused.
 */
export class OnnxNetwork {
  constructor(
    private readonly session: Session,
    readonly facts: SessionFacts,
    readonly form: InputForm,
    private readonly where: string,
  ) {}

  /** Loads a model, given away. WeightsError when that fails or its input does not fit. */
  static async load(
    engine: GraphRuntime,
    model: Uint8Array<ArrayBuffer>,
    open: Partial<ClipShape>,
    where: string,
  ): Promise<OnnxNetwork> {
    const session = await orRefused(engine.load(model, where, 'inference'), `${where}: ONNX Runtime cannot load it`);
    const facts = await session.describe();
    return new OnnxNetwork(session, facts, inputForm(facts, open, where), where);
  }

  /** Clips of the network's frames, size and normalisation (kept) -> its output of this name. */
  async answers(clips: ClipTensor, output: string): Promise<Answers> {
    const { layout, frames } = this.form;
    const perFrame = takesPictures(this.form);
    const items = perFrame ? frames * clips.count : clips.count;
    const values = layout === 'channels' ? toChannelMajor(clips) : layout.startsWith('frames') ? toClipMajor(clips) : clips.data;
    const data = layout.endsWith('Last') ? channelsLast(values, clips.height * clips.width) : values;
    return { ...(await this.inBatches(data, items, output)), perFrame };
  }

  /** Shape of the input for so many items: the model's own batch size, where it has one. */
  inputShape(items: number): readonly number[] {
    return [this.form.batch ?? items, ...this.itemShape];
  }

  release(): Promise<void> {
    return this.session.release();
  }

  private get itemShape(): readonly number[] {
    const { layout, frames, height, width } = this.form;
    const shapes: Readonly<Record<Layout, readonly number[]>> = {
      frames: [frames, 3, height, width],
      channels: [3, frames, height, width],
      framesLast: [frames, height, width, 3],
      images: [3, height, width],
      imagesLast: [height, width, 3],
    };
    return shapes[layout];
  }

  private async inBatches(data: Float32Array, count: number, output: string): Promise<Pick<Answers, 'shape' | 'items'>> {
    const { batch = count } = this.form;
    const length = sizeOf(this.itemShape);
    const items: Float32Array[] = [];
    let shape: readonly number[] = [];
    while (items.length < count) {
      const result = await this.once(data.subarray(items.length * length, (items.length + batch) * length), batch, output);
      [, ...shape] = result.shape;
      const size = sizeOf(shape);
      const left = Math.min(batch, count - items.length);
      for (let b = 0; b < left; b++) items.push(result.data.slice(b * size, (b + 1) * size));
    }
    return { shape, items };
  }

  /** A partial batch is padded with black items. */
  private async once(part: Float32Array, batch: number, output: string) {
    const shape = [batch, ...this.itemShape];
    const data = new Float32Array(sizeOf(shape));
    data.set(part);
    const running = this.session.run({ [this.form.input]: { shape, data } }, { move: true });
    const results = await orRefused(running, `${this.where}: cannot be run on [${shape}]`);
    const result = results[output];
    if (result?.shape[0] === batch && result.data instanceof Float32Array) return result;
    throw new WeightsError(`expected output "${output}" of [${batch}, ...], got [${result?.shape ?? ''}]`, { path: this.where });
  }
}

/** Images [n, 3, H, W] -> [n, H, W, 3]. */
function channelsLast(values: Float32Array, plane: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += 3 * plane) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < plane; i++) out[at + 3 * i + c] = values[at + c * plane + i] as number;
    }
  }
  return out;
}

async function orRefused<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const [reason] = messageOf(error).split('\n');
    throw new WeightsError(`${what}: ${reason}`);
  }
}
