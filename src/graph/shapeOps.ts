export { broadcast, sum, sumAll } from './operators/reduction.js';
export { flatten, reshape } from './operators/reshape.js';
export { concat, slice } from './operators/sliceConcat.js';
export { transpose } from './operators/transpose.js';
