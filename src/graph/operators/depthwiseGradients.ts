import { type Expr, expr, mapExpr, type Op } from '../expr.js';
import type { BlockedLayout, BlockedMap } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, type Shape } from '../shape.js';
import { blockedKernels, expansions, kernelOf, picked, tapKernel, weightOf } from './depthwiseKernels.js';
import {
  cropped,
  imageShape,
  images,
  kernelGradientPads,
  outputPadding,
  pickFrames,
  spatialAttributes,
  sumOf,
} from './images.js';
import { type NchwcLowering, type Node, operandShapes, operator } from './operator.js';
import { hasPhases, joinPhases, type Places, timePhases, transposedNchwc } from './transposed.js';
import { type Sliding, tapPicks } from './window.js';

declare module '../expr.js' {
  interface Ops {
    depthwiseInputGradient: Sliding;
    depthwiseWeightGradient: Sliding;
  }
}

export const depthwiseInputGradient = (dy: Expr, weight: Expr, sliding: Sliding, shape: Shape): Expr =>
  mapExpr({ kind: 'depthwiseInputGradient', ...sliding }, [dy, weight], shape);

export const depthwiseWeightGradient = (dy: Expr, x: Expr, sliding: Sliding, shape: Shape): Expr =>
  expr({ kind: 'depthwiseWeightGradient', ...sliding }, [dy, x], shape);

const times = (wide: Expr | undefined, narrow: Expr | undefined): number => (wide?.shape[2] ?? 1) / (narrow?.shape[2] ?? 1);

/** Map, result and kernel of the convolution. */
const sizes = ({ kind }: Op, map: Shape, result: Shape, weight: Shape) =>
  [mapSize(map, kind), mapSize(result, kind), kernelOf(weight)] as const;

export const depthwiseInputGradientOperator = operator('depthwiseInputGradient', {
  emit: emitInputGradient,
  nchwc: {
    suits: (_, { op, inputs: [dy, weight], shape }) => {
      const [, kh, kw] = kernelOf(weight?.shape ?? []);
      return hasPhases([kh, kw], mapSize(dy?.shape ?? [], op.kind), mapSize(shape, op.kind), op);
    },
    emit: inputGradientNchwc,
  },
  expanded: (node) => ({ map: node.inputs[0] ?? node, times: times(node.inputs[0], node) }),
});

function emitInputGradient(e: Emitter, node: Node<'depthwiseInputGradient'>, [dy = '', weight = '']: readonly string[]): string {
  const { op, shape } = node;
  const [from = [], weights = []] = operandShapes(node);
  const [big, small, [kt, kh, kw]] = sizes(op, shape, from, weights);
  const attributes = {
    group: big.channels,
    ...spatialAttributes([kh, kw], op),
    output_padding: outputPadding(big, small, [kh, kw], op),
  };
  const flat = images(e, dy, from);
  const phases = timePhases(kt, op, big.frames).map((phase) => {
    const parts = phase.map(({ tap: k, pick }) => {
      const moved = pickFrames(e, flat, pick, big.clips, imageShape(from));
      return e.node('ConvTranspose', [moved, tapKernel(e, weight, weights, k)], attributes);
    });
    return parts.length > 0 ? sumOf(e, parts) : undefined;
  });
  return e.reshape(joinPhases(e, phases, shape, op), shape);
}

function inputGradientNchwc(c: NchwcLowering, node: Node<'depthwiseInputGradient'>): BlockedMap {
  const { layout } = c;
  const { op, inputs, shape } = node;
  const [from = node, weight = node] = inputs;
  const size = mapSize(shape, op.kind);
  const dy = c.mapWith(from, times(from, node));
  const w = weightOf(c, weight);
  const expand = w.out / size.channels;
  const lanes = { channels: size.channels, expand: 1 };
  const [kt, ...kernel] = w.kernel;
  const parts = expansions(layout, dy);
  const width = layout.width(lanes);
  const frames = Math.ceil(size.frames / op.stride[0]);
  const space = { sliding: op, kernel, from: dy.size, to: size, frames, lanes: width, group: width };
  const phases = timePhases(kt, op, size.frames).map((phase) => {
    const terms = parts.flatMap((part, k) =>
      phase.map(({ tap, pick }) => ({
        map: picked(layout, part, pick),
        kernel: (places: Places) => blockedKernels(layout, w, expand, places)[k]?.[tap] ?? '',
      })),
    );
    return transposedNchwc(layout, terms, space);
  });
  const all = [size.frames, size.clips, width, size.height, size.width];
  return { name: joinPhases(c.e, phases, all, op), size, lanes };
}

export const depthwiseWeightGradientOperator = operator('depthwiseWeightGradient', {
  emit: emitWeightGradient,
  reads: { emit: weightGradientNchwc },
  expanded: (node) => ({ map: node.inputs[0] ?? node, times: times(node.inputs[0], node.inputs[1]) }),
});

/** dW as a convolution of each image and channel by its own gradient, then summed over images. */
function emitWeightGradient(e: Emitter, node: Node<'depthwiseWeightGradient'>, [dy = '', x = '']: readonly string[]): string {
  const { op, shape } = node;
  const [dyShape = [], xShape = []] = operandShapes(node);
  const [big, small, [kt, kh, kw]] = sizes(op, xShape, dyShape, shape);
  const count = small.frames * small.clips;
  const kernel = e.reshape(dy, [count * small.channels, 1, small.height, small.width]);
  const parts = tapPicks(kt, op, small.frames).map((pick) => {
    const moved = pickFrames(e, images(e, x, xShape), pick, big.clips, imageShape(xShape));
    const whole = e.reshape(moved, [1, count * big.channels, big.height, big.width]);
    const seen = cropped(e, whole, kernelGradientPads(big, small, [kh, kw], op));
    const dots = e.node('Conv', [seen.x, kernel], {
      group: count * big.channels,
      kernel_shape: [small.height, small.width],
      dilations: [op.stride[1], op.stride[2]],
      pads: seen.pads,
    });
    return e.reshape(e.sum(e.reshape(dots, [count, small.channels, kh, kw]), [0]), [small.channels, 1, kh, kw]);
  });
  return parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis: 1 });
}

/**
 * Gradient for the weight, [C * e, kt, kh, kw]: each channel convolved by its own gradient, shifted for taps in time unless they
 * skip frames.
 */
function weightGradientNchwc(c: NchwcLowering, node: Node<'depthwiseWeightGradient'>): string {
  const { e, layout } = c;
  const { op: sliding, inputs, shape } = node;
  const [from = node, seen = node] = inputs;
  const dy = c.mapWith(from, times(from, seen));
  const x = c.mapWith(seen, 1);
  const [kt, kh, kw] = kernelOf(shape);
  const { channels, height, width } = x.size;
  const lanes = layout.width(x.lanes);
  const b = layout.block;
  const [top = 0, left = 0, bottom = 0, right = 0] = kernelGradientPads(x.size, dy.size, [kh, kw], sliding);
  // Borders once: without padding the kernel keeps three accumulators busy.
  const framed = e.pad(
    e.reshape(x.name, [(x.size.frames * x.size.clips * lanes) / b, height, width, b]),
    [0, top, left, 0],
    [0, bottom, right, 0],
  );
  const edge = [height + top + bottom, width + left + right] as const;
  const parts = expansions(layout, dy);
  const dots = parts.flatMap((part) =>
    pairs(layout, part, { framed, edge, lanes, clips: x.size.clips, frames: x.size.frames }, kt, sliding).map(
      ({ view, tap, images }) => {
        const by = e.reshape(tap, [images * lanes, 1, dy.size.height, dy.size.width]);
        const whole = e.reshape(view, [1, images * lanes, ...edge]);
        const dilation = [sliding.stride[1], sliding.stride[2]] as const;
        const perImage = layout.conv([whole, by], [dy.size.height, dy.size.width], images * lanes, { dilation });
        return layout.sumOfRows(perImage, images, lanes * kh * kw); // [1, lanes / b * kh * kw * b]
      },
    ),
  );
  const all = dots.length === 1 && dots[0] ? dots[0] : e.node('Concat', dots, { axis: 0 }); // [e * kt, ..]
  const blocks = e.transpose(e.reshape(all, [dots.length, lanes / b, kh * kw, b]), [1, 3, 0, 2]); // [lanes / b, b, e * kt, k]
  const used = e.pad(e.reshape(blocks, [lanes, dots.length * kh * kw]), [0, 0], [channels - lanes, 0]);
  return e.reshape(used, [channels * parts.length, kt, kh, kw]);
}

/** For each tap in time the frames of the map and those of the gradient that meet. */
function pairs(layout: BlockedLayout, dy: BlockedMap, x: FramedMap, kt: number, sliding: Sliding) {
  if (sliding.stride[0] === 1 && dy.size.frames === x.frames) {
    const picks = tapPicks(kt, sliding, x.frames).map((pick) => ({ ...pick, first: -pick.first }));
    return picks.map((pick) => ({ view: x.framed, tap: picked(layout, dy, pick), images: x.frames * x.clips }));
  }
  const shape = [(x.frames * x.clips * x.lanes) / layout.block, ...x.edge, layout.block];
  return tapPicks(kt, sliding, dy.size.frames).map((pick) => ({
    view: pickFrames(layout.e, x.framed, pick, (x.clips * x.lanes) / layout.block, shape),
    tap: dy.name,
    images: dy.size.frames * x.clips,
  }));
}

interface FramedMap {
  readonly framed: string;
  readonly edge: readonly [height: number, width: number];
  readonly lanes: number;
  readonly clips: number;
  readonly frames: number;
}
