/** Features and class scores of clips by stored weights, in one run of the network. */
import { asTensor, type ClipTensor, padClips } from '../clip/clipTensor.js';
import { ConfigError } from '../errors.js';
import type { Expr } from '../graph/expr.js';
import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import {
  clipInput,
  constantLogits,
  type FlatWeights,
  type Intermediates,
  initialWeights,
  readoutWidths,
} from '../models/network.js';
import type { GraphRuntime, Session } from '../platform/graphRuntime.js';
import { Rng } from '../rng.js';
import { type Checkpoint, transferWeights } from '../weights/checkpoint.js';

export class FrozenWeights {
  /** Clips a run. */
  readonly batch = 8;

  private constructor(
    private readonly session: Session,
    /** Widths of blocks of features, for standardisation. */
    readonly blocks: readonly number[],
  ) {}

  /** ConfigError for a causal network, which has no features of whole clips. `where` names the weights. */
  static async load(engine: GraphRuntime, weights: Checkpoint, where: string): Promise<FrozenWeights> {
    if (weights.config.causal) throw new ConfigError(`${where}: is causal; features are of whole clips: take other weights`);
    const session = await engine.load(
      lower({ outputs: outputsOf(weights, 8, where) }, await engine.target()),
      where,
      'inference',
    );
    return new FrozenWeights(session, readoutWidths(withFeatures(weights.config)));
  }

  /** Features [B, D] and logits [B, K] of at most `batch` clips, which are given away. */
  async of(clips: ClipTensor): Promise<{ readonly features: Float32Array; readonly logits: Float32Array }> {
    const out = await this.session.run<'features' | 'logits'>({ clips: asTensor(padClips(clips, this.batch)) }, { move: true });
    const share = ({ data }: { data: Float32Array }) => data.slice(0, (data.length / this.batch) * clips.count);
    return { features: share(out.features), logits: share(out.logits) };
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

const withFeatures = (config: NetworkConfig): NetworkConfig => ({ ...config, readout: 'multilevel' });

/** A network without such a readout gets a random one, of which only the input is used. */
function outputsOf(weights: Checkpoint, batch: number, where: string): { features: Expr; logits: Expr } {
  const keep: Intermediates = new Map();
  const own = weights.config.readout === 'multilevel';
  const clips = clipInput(weights.config, batch);
  const graph = constantLogits(withFeatures(weights.config), own ? weights : probed(weights, where), clips, { keep });
  const features = keep.get('readout');
  if (!features) throw new ConfigError(`${where}: ${weights.config.name} has no features that a linear classifier could read`);
  return { features, logits: own ? graph : constantLogits(weights.config, weights, clips) };
}

function probed(weights: Checkpoint, where: string): FlatWeights {
  const config = withFeatures(weights.config);
  const values = initialWeights(config, new Rng([0, 'readout']));
  transferWeights(config, values, weights, false, where);
  return values;
}
