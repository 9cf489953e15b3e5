/** The module worker in which onnxruntime-web works. */
import { runtimeTasks } from '../runtime/sessionTable.js';
import { serveTasks } from '../workers/messages.js';
import { type WasmSettings, wasmBackend } from './wasmBackend.js';
import { workerStart } from './workerThread.js';

const { settings, port } = await workerStart<WasmSettings>();
serveTasks(port, runtimeTasks(wasmBackend(settings)));
