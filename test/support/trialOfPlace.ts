/** Inference and ten training steps through the browser entry. */
import type * as Library from '../../src/web/index.js';

export interface TrialInput {
  /** A safetensors file of weights. */
  readonly weights: Uint8Array;
  /** [T, height, width, 3] */
  readonly rgb: Uint8Array;
  readonly height: number;
  readonly width: number;
}

export interface TrialNumbers {
  readonly label: string | undefined;
  readonly recognised: readonly number[];
  readonly losses: readonly number[];
  /** After the last step, in evaluation mode. */
  readonly logits: readonly number[];
}

const batch = 4;
const steps = 10;
const epsilon = 1e-6;

export async function trialOfPlace(
  library: typeof Library,
  platform: Library.Platform,
  { weights, rgb, height, width }: TrialInput,
): Promise<TrialNumbers> {
  const checkpoint = library.parseCheckpoint(library.parseSafetensors(weights), 'weights');
  const { frames } = checkpoint.preprocess;
  const stack = { width, height, rgb, slots: Array.from({ length: frames }, (_, t) => t), window: { startSec: 0, endSec: 1 } };
  const recogniser = await library.openRecogniser(weights, { platform });
  const { predictions, logits } = await recogniser.recogniseFrames(stack, { logits: true });
  await recogniser.close();
  const trained = await train(library, platform, checkpoint);
  return { label: predictions[0]?.label, recognised: [...(logits?.[0] ?? [])], ...trained };
}

async function train(library: typeof Library, platform: Library.Platform, checkpoint: Library.Checkpoint) {
  const { config } = checkpoint;
  const rng = new library.Rng(['trial']);
  const inventory = library.inventoryOf(config);
  const parameters = library.initialValues(inventory.parameters, rng); // as a training begins
  const statistics = library.initialValues(inventory.statistics, rng);
  const empty = library.emptyClips(batch, config);
  const clips = library.clipsFrom(
    empty.data.map(() => rng.normal()),
    batch,
    config,
  );
  const labels = Int32Array.from({ length: batch }, (_, b) => b % config.classes);
  const runtime = platform.openRuntime({ threads: 1 });
  const programs = new library.TrainingSession(runtime, config, {
    ...library.defaultStep,
    epsilon,
    statisticsMomentum: 0.5,
    clips: batch,
  });
  const zeros = () => new Float32Array(parameters.length);
  await programs.setWeights({ parameters, statistics, expAvg: zeros(), expAvgSq: zeros() });
  const losses: number[] = [];
  const copy = () => library.clipsFrom(clips.data.slice(), batch, config);
  for (let step = 1; step <= steps; step++) {
    const targets = library.smoothedTargets(labels, config.classes, 0.1);
    const dropout = new Float32Array(batch * programs.masks.dropouts).fill(1);
    losses.push((await programs.step({ clips: copy(), targets, dropout, step, rate: 3e-3, weightDecay: 0.05 })).loss);
  }
  const logits = [...(await programs.logits(copy()))];
  await runtime.close();
  return { losses, logits };
}
