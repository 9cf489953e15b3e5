/** Attention over tokens (Vaswani et al., 2017). */

import type { Expr } from '../expr.js';
import { need } from '../shape.js';
import { mul } from './arithmetic.js';
import { linear, matmul } from './matmul.js';
import { reshape } from './reshape.js';
import { slice } from './sliceConcat.js';
import { softmax } from './softmax.js';
import type { LinearWeights } from './squeezeExcite.js';
import { transpose } from './transpose.js';

/** softmax(q k^T / sqrt(d)) v over the last two axes: q [.., N, d], k [.., M, d], v [.., M, e] -> [.., N, e] */
export function attention(q: Expr, k: Expr, v: Expr): Expr {
  const scaled = mul(q, (q.shape.at(-1) ?? 1) ** -0.5);
  return matmul(softmax(matmul(scaled, k, { transposeB: true })), v);
}

/** Multi-head self-attention: x [B, N, d]; `qkv` gives queries, keys and values side by side, each heads * d / heads; -> [B, N, d] */
export function selfAttention(x: Expr, qkv: LinearWeights, projection: LinearWeights, heads: number): Expr {
  const [clips = 1, tokens = 1, width = 1] = x.shape;
  need(x.shape.length === 3 && width % heads === 0, `selfAttention: ${heads} heads`, x.shape);
  const all = reshape(linear(x, qkv.weight, qkv.bias), [clips, tokens, 3, heads, width / heads]);
  const apart = transpose(all, [2, 0, 3, 1, 4]); // [3, B, heads, N, d / heads]
  const part = (i: number) => reshape(slice(apart, 0, i, i + 1), [clips, heads, tokens, width / heads]);
  const found = transpose(attention(part(0), part(1), part(2)), [0, 2, 1, 3]);
  return linear(reshape(found, [clips, tokens, width]), projection.weight, projection.bias);
}
