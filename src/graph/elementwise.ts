export { gelu, hardSigmoid, hardSwish, silu } from './operators/activations.js';
export { add, div, mul, sub, sumTo } from './operators/arithmetic.js';
export { clip, erf, exp, log, relu, relu6, sigmoid, sqrt, step } from './operators/unary.js';
