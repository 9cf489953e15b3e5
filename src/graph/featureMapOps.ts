/** Operators on feature maps [T, B, C, H, W] other than spatial convolutions. */

export { averagePool } from './operators/averagePool.js';
export { channelAffine, channelDot, channelSum, globalAverage } from './operators/channelAffine.js';
export { channelLayerNorm } from './operators/layerNorm.js';
export { maxPool } from './operators/maxPool.js';
export { blockDiagonal, channelInnerProducts, pointwise } from './operators/pointwise.js';
export { regroup } from './operators/regroup.js';
export { shuffleChannels } from './operators/shuffleChannels.js';
export { spatialSoftmax } from './operators/spatialSoftmax.js';
export { squeezeExcite } from './operators/squeezeExcite.js';
export { softmaxTokens } from './operators/tokenSoftmax.js';
