export { attention, selfAttention } from './operators/attention.js';
export { layerNorm } from './operators/layerNorm.js';
export { linear, matmul, mixRows } from './operators/matmul.js';
export { logSoftmax, softmax } from './operators/softmax.js';
