/** All operators: a new one is a file and its line here. */

import type { Expr, OpKind } from '../expr.js';
import { addOperator, divOperator, mulOperator, subOperator } from './arithmetic.js';
import { channelAffineOperator, channelDotOperator, channelSumOperator } from './channelAffine.js';
import { convolutionOperator } from './convolution.js';
import { convolutionInputGradientOperator, convolutionWeightGradientOperator } from './convolutionGradients.js';
import { depthwiseOperator, depthwiseTapsOperator } from './depthwise.js';
import { depthwiseInputGradientOperator, depthwiseWeightGradientOperator } from './depthwiseGradients.js';
import { layerNormOperator } from './layerNorm.js';
import { matmulOperator } from './matmul.js';
import { maxPoolOperator } from './maxPool.js';
import type { Operator } from './operator.js';
import { channelInnerProductsOperator, pointwiseOperator } from './pointwise.js';
import { broadcastOperator, sumOperator } from './reduction.js';
import { regroupOperator } from './regroup.js';
import { reshapeOperator } from './reshape.js';
import { shuffleChannelsOperator } from './shuffleChannels.js';
import { concatOperator, sliceOperator } from './sliceConcat.js';
import { logSoftmaxOperator, softmaxOperator } from './softmax.js';
import { constantOperator, featureMapOperator, inputOperator, stateOperator } from './sources.js';
import { spatialSoftmaxOperator } from './spatialSoftmax.js';
import { softmaxTokensOperator } from './tokenSoftmax.js';
import { transposeOperator } from './transpose.js';
import {
  clipOperator,
  erfOperator,
  expOperator,
  logOperator,
  reluOperator,
  sigmoidOperator,
  softplusOperator,
  sqrtOperator,
  stepOperator,
} from './unary.js';

const operators: { readonly [K in OpKind]: Operator<K> } = {
  add: addOperator,
  sub: subOperator,
  mul: mulOperator,
  div: divOperator,
  relu: reluOperator,
  step: stepOperator,
  exp: expOperator,
  log: logOperator,
  sqrt: sqrtOperator,
  erf: erfOperator,
  sigmoid: sigmoidOperator,
  softplus: softplusOperator,
  clip: clipOperator,
  sum: sumOperator,
  broadcast: broadcastOperator,
  reshape: reshapeOperator,
  transpose: transposeOperator,
  slice: sliceOperator,
  concat: concatOperator,
  input: inputOperator,
  constant: constantOperator,
  state: stateOperator,
  featureMap: featureMapOperator,
  matmul: matmulOperator,
  softmax: softmaxOperator,
  logSoftmax: logSoftmaxOperator,
  layerNorm: layerNormOperator,
  channelAffine: channelAffineOperator,
  channelSum: channelSumOperator,
  channelDot: channelDotOperator,
  pointwise: pointwiseOperator,
  channelInnerProducts: channelInnerProductsOperator,
  spatialSoftmax: spatialSoftmaxOperator,
  softmaxTokens: softmaxTokensOperator,
  shuffleChannels: shuffleChannelsOperator,
  regroup: regroupOperator,
  depthwise: depthwiseOperator,
  depthwiseTaps: depthwiseTapsOperator,
  depthwiseInputGradient: depthwiseInputGradientOperator,
  depthwiseWeightGradient: depthwiseWeightGradientOperator,
  convolution: convolutionOperator,
  convolutionInputGradient: convolutionInputGradientOperator,
  convolutionWeightGradient: convolutionWeightGradientOperator,
  maxPool: maxPoolOperator,
};

export const operatorOf = ({ op }: Expr): Operator => operators[op.kind];

export const operatorNames = Object.keys(operators) as readonly OpKind[];
