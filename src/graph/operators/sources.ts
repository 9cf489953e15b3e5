/** Values that no operator makes, and the view of one as a feature map. Built in expr.ts. */

import { inputName } from '../graph.js';
import { mapSize } from '../shape.js';
import { operator } from './operator.js';

export const inputOperator = operator('input', { emit: (_, { op }) => op.name });
export const constantOperator = operator('constant', { emit: (e, { op, shape }) => e.floats(op.data, shape) });
export const featureMapOperator = operator('featureMap', { emit: (_, __, [x = '']) => x });

export const stateOperator = operator('state', {
  emit: (_, { op }) => inputName(op) ?? '',
  nchwc: {
    emit: (_, { op, shape }) => ({
      name: inputName(op) ?? '',
      size: mapSize(shape, op.kind),
      lanes: { channels: shape[2] ?? 0, expand: 1 },
    }),
  },
});
