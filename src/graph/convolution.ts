export { type ConvolutionOptions, convolution } from './operators/convolution.js';
export { depthwise, depthwiseTaps } from './operators/depthwise.js';
