import { type Expr, expr, mapExpr } from '../expr.js';
import type { BlockedMap } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, type Shape } from '../shape.js';
import { blockKernels, denseWeight, type Grouped, groupsAreBlocks, passes, sideBySide, tapsOf } from './convolutionKernels.js';
import { cropped, images, kernelGradientPads, outputPadding, pickFrames, spatialAttributes, sumOf } from './images.js';
import { type NchwcLowering, type Node, operandShapes, operator } from './operator.js';
import { hasPhases, joinPhases, type Places, timePhases, transposedNchwc } from './transposed.js';
import { tapPicks } from './window.js';

declare module '../expr.js' {
  interface Ops {
    convolutionInputGradient: Grouped;
    convolutionWeightGradient: Grouped;
  }
}

export const convolutionInputGradient = (dy: Expr, weight: Expr, op: Grouped, shape: Shape): Expr =>
  mapExpr({ kind: 'convolutionInputGradient', ...op }, [dy, weight], shape);

export const convolutionWeightGradient = (dy: Expr, x: Expr, op: Grouped, shape: Shape): Expr =>
  expr({ kind: 'convolutionWeightGradient', ...op }, [dy, x], shape);

export const convolutionInputGradientOperator = operator('convolutionInputGradient', {
  emit: emitInputGradient,
  nchwc: {
    suits: (c, { op, inputs: [dy, weight], shape }) => {
      const [, , , kh = 1, kw = 1] = weight?.shape ?? [];
      const fits = hasPhases([kh, kw], mapSize(dy?.shape ?? [], op.kind), mapSize(shape, op.kind), op);
      return fits && groupsAreBlocks(c, weight?.shape ?? [], op.groups);
    },
    emit: inputGradientNchwc,
  },
});

function emitInputGradient(
  e: Emitter,
  node: Node<'convolutionInputGradient'>,
  [dy = '', weight = '']: readonly string[],
): string {
  const { op, shape } = node;
  const [from = [], [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = []] = operandShapes(node);
  const [big, small] = [mapSize(shape, op.kind), mapSize(from, op.kind)];
  const attributes = {
    group: op.groups,
    ...spatialAttributes([kh, kw], op),
    output_padding: outputPadding(big, small, [kh, kw], op),
  };
  const phases = timePhases(kt, op, big.frames).map((phase) => {
    const parts = passes([...phase.keys()], op.groups).map((some) => {
      const reached = some.flatMap((i) => phase[i] ?? []);
      const kernels = tapsOf(e, weight, kt, reached.map(({ tap }) => tap)); // biome-ignore format: one line
      const kernel = reached.length === 1 ? kernels : e.transpose(kernels, [2, 0, 1, 3, 4]);
      const seen = sideBySide(e, dy, from, reached.map(({ pick }) => pick)); // biome-ignore format: one line
      return e.node('ConvTranspose', [seen, e.reshape(kernel, [reached.length * out, into, kh, kw])], attributes);
    });
    return phase.length > 0 ? sumOf(e, parts) : undefined;
  });
  return e.reshape(joinPhases(e, phases, shape, op), shape);
}

function inputGradientNchwc(c: NchwcLowering, { op, inputs, shape }: Node<'convolutionInputGradient'>): BlockedMap {
  const { e, layout } = c;
  const [from, weight] = [inputs[0] as Expr, inputs[1] as Expr];
  const size = mapSize(shape, op.kind);
  const dy = c.mapWith(from, 1);
  const w = denseWeight(c, weight, op.groups);
  const lanes = { channels: size.channels, expand: 1 };
  const width = layout.width(lanes);
  const [, , kt = 1, kh = 1, kw = 1] = weight.shape;
  const frames = Math.ceil(size.frames / op.stride[0]);
  const space = { sliding: op, kernel: [kh, kw] as const, from: dy.size, to: size, frames, lanes: width, group: op.groups };
  const phases = timePhases(kt, op, size.frames).map((phase) => {
    if (phase.length === 0) return undefined;
    const terms = phase.map(({ tap, pick }) => ({
      map: pickFrames(e, dy.name, pick, dy.size.clips, layout.nominal(dy)),
      kernel: (places: Places) => blockKernels(layout, w, true, places)[tap] ?? '',
    }));
    return transposedNchwc(layout, terms, space);
  });
  const all = [size.frames, size.clips, width, size.height, size.width];
  return { name: joinPhases(e, phases, all, op), size, lanes };
}

export const convolutionWeightGradientOperator = operator('convolutionWeightGradient', { emit: emitWeightGradient });

/** dW [O, C / g, kt, kh, kw]: images become the channels of a convolution of x (C / g images in g groups) by dy (O kernels). */
function emitWeightGradient(e: Emitter, node: Node<'convolutionWeightGradient'>, [dy = '', x = '']: readonly string[]): string {
  const { op, shape } = node;
  const [dyShape = [], xShape = []] = operandShapes(node);
  const [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = shape;
  const [big, small] = [mapSize(xShape, op.kind), mapSize(dyShape, op.kind)];
  const count = small.frames * small.clips;
  const kernel = e.transpose(images(e, dy, dyShape), [1, 0, 2, 3]); // [O, T*B, h, w]
  const picks = tapPicks(kt, op, small.frames);
  const parts = passes([...picks.keys()], op.groups).map((taps) => {
    const rows = taps.length * into;
    const seen = sideBySide(e, x, xShape, taps.flatMap((tap) => picks[tap] ?? [])); // biome-ignore format: one line
    const grouped = e.reshape(seen, [count, op.groups, rows, big.height * big.width]);
    const left = e.reshape(op.groups === 1 ? e.transpose(seen, [1, 0, 2, 3]) : e.transpose(grouped, [2, 1, 0, 3]), [
      rows,
      op.groups * count,
      big.height,
      big.width,
    ]);
    const shown = cropped(e, left, kernelGradientPads(big, small, [kh, kw], op));
    const dots = e.node('Conv', [shown.x, kernel], {
      ...(op.groups > 1 && { group: op.groups }),
      kernel_shape: [small.height, small.width],
      dilations: [op.stride[1], op.stride[2]],
      pads: shown.pads,
    }); // [taps * C / g, O, kh, kw]
    return e.transpose(e.reshape(dots, [taps.length, into, out, kh, kw]), [2, 1, 0, 3, 4]);
  });
  return parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis: 2 });
}
