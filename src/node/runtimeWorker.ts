import './noTelemetry.js';
import * as ort from 'onnxruntime-node';
import type { RuntimeSettings } from '../runtime/runtimeTasks.js';
import { runtimeTasks } from '../runtime/sessionTable.js';
import { serveTasks } from './workerPool.js';
import { threadData } from './workerThread.js';

const { threads, spin } = threadData as RuntimeSettings;

serveTasks(
  runtimeTasks({
    InferenceSession: ort.InferenceSession,
    Tensor: ort.Tensor,
    writesInPlace: true,
    sessionOptions: (kind) => ({
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Where weights flow through there is nothing to fold: optimising doubles the loading time and gains nothing.
      graphOptimizationLevel: kind === 'training' ? 'disabled' : 'all',
      // Planning memory for a whole training step doubles its peak; for inference it gains 2 to 4 %.
      enableMemPattern: kind === 'inference',
      // A waiting thread that spins gains 15 % on an idle machine and costs half the speed on one that also decodes videos.
      extra: { session: { intra_op: { allow_spinning: spin ? '1' : '0' } } },
      logSeverityLevel: 3,
    }),
  }),
);
