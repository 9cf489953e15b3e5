/** onnxruntime-web's WebAssembly build, for the session table. */
import * as ort from 'onnxruntime-web/wasm';
import type { OrtBackend } from '../runtime/sessionTable.js';

export interface WasmSettings {
  readonly threads: number;
  /** Folder of onnxruntime-web's .wasm and .mjs files; by default left to the bundler. */
  readonly wasmPaths?: string;
}

export function wasmBackend({ threads, wasmPaths }: WasmSettings): OrtBackend {
  ort.env.wasm.numThreads = threads;
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  return {
    InferenceSession: ort.InferenceSession,
    Tensor: ort.Tensor,
    // Tensors given for outputs are ignored: they come back untouched.
    writesInPlace: false,
    sessionOptions: () => ({ executionProviders: ['wasm'], graphOptimizationLevel: 'all', logSeverityLevel: 3 }),
  };
}
