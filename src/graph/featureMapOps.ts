/** Operators on feature maps [T, B, C, H, W] other than spatial convolutions. */

export { averagePool } from './operators/averagePool.js';
export { channelDot, channelSum, globalAverage, scaleShift } from './operators/channelAffine.js';
export { channelLayerNorm } from './operators/layerNorm.js';
export { maxPool } from './operators/maxPool.js';
export { blockDiagonal, gram, pointwise } from './operators/pointwise.js';
export { regroup } from './operators/regroup.js';
export { shuffleChannels } from './operators/shuffleChannels.js';
export { softmaxPositions } from './operators/spatialSoftmax.js';
export { squeezeExcite } from './operators/squeezeExcite.js';
export { softmaxTokens } from './operators/tokenSoftmax.js';
