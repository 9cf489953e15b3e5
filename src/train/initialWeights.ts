/** What a new run starts from: `init` of its job. */
import { ConfigError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import type { FlatWeights } from '../models/network.js';
import { defaultWeightsFor, pretrainedFor, pretrainedNamed } from '../models/pretrained.js';
import { defaultNetwork, networkConfig } from '../models/registry.js';
import { type Checkpoint, parseCheckpoint, transferWeights } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { locateWeights, pretrainedPath } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import type { TrainJob } from './job.js';

export interface InitialWeights {
  /** Path or name. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
  /** Whether they are pretrained ones of this package, for which recipes know how to see videos. */
  readonly isPretrained: boolean;
  /** The network that the weights were chosen for, where it was not they that decide. */
  readonly ofNetwork?: string | NetworkConfig;
}

type Start = Pick<TrainJob, 'init' | 'model' | 'temporal' | 'recipe'>;

/** Whether a run starts from random weights. */
export const isRandom = (job: Start): boolean => startOf(job) === 'none';

/**
 * `init` of a job. Without one a named network starts from the pretrained weights that fit it, where there are some and the recipe is not
 * one from scratch; a configuration of one's own starts at random.
 */
export function startOf(job: Start): string {
  const { init, model, recipe } = job;
  if (init !== undefined) return init;
  const isOpen = (recipe === undefined || recipe === 'finetune') && typeof model !== 'object';
  return isOpen && pretrainedFor(networkOf(job)) ? 'default' : 'none';
}

function networkOf({ model = defaultNetwork, temporal }: Start): NetworkConfig {
  return typeof model === 'object' ? model : networkConfig(model, temporal === undefined ? {} : { temporal });
}

/**
 * Reads the weights to start from; undefined for random ones. `default` means the pretrained ones for the job's network. WeightsError
 * for a file that cannot be read, ConfigError where no pretrained weights fit the network.
 */
export async function readInitialWeights(job: Start): Promise<InitialWeights | undefined> {
  const init = startOf(job);
  if (init === 'none') return undefined;
  if (init !== 'default') {
    const path = await locateWeights(init);
    return { name: init, checkpoint: await read(path), isPretrained: path !== init };
  }
  const ofNetwork = job.model ?? defaultNetwork;
  const weights = defaultWeightsFor(networkOf(job));
  return { name: weights.name, checkpoint: await read(await pretrainedPath(weights)), isPretrained: true, ofNetwork };
}

async function read(path: string): Promise<Checkpoint> {
  if (await isOnnxFile(path))
    throw new ConfigError('an ONNX network cannot be trained on; --baseline reads its features, --teacher learns from it', {
      path,
    });
  return parseCheckpoint(await readSafetensors(path), path);
}

/** Copies what fits into first values and tells about it. WeightsError when they are another network's. */
export function takeInitialWeights(
  { name, checkpoint, isPretrained }: InitialWeights,
  config: NetworkConfig,
  into: FlatWeights,
  labels: readonly string[],
  onEvent: NonNullable<TrainJob['onEvent']>,
): void {
  const sameLabels = checkpoint.labels.join('\n') === labels.join('\n');
  const { taken, fresh } = transferWeights(config, into, checkpoint, sameLabels, name);
  const terms = isPretrained ? pretrainedNamed(name)?.terms : undefined;
  const anew = fresh.length === 0 ? 'all' : `all but ${fresh.join(', ')}`;
  onEvent({
    kind: 'note',
    message: `start from ${name}: ${anew} of ${taken.length + fresh.length} tensors${terms === undefined ? '' : `; terms: ${terms}`}`,
  });
  const [before = false, now = false] = [checkpoint.config.causal, config.causal];
  if (now && !before)
    onEvent({
      kind: 'note',
      message: 'temporal kernels of the initial weights see the next frame too; here the present one stands for it',
    });
  if (before && !now) {
    const message =
      'kernels over time looked back only in those weights, and see the next frame here: what they learnt of motion fits badly';
    onEvent({ kind: 'warning', message });
  }
}
