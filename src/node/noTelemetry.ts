/**
 * Disables ONNX Runtime's telemetry. From 1.29 its Linux library reports each session, keeps a device number in the user's cache
 * folder, and (1.30) crashes on command lines of more than 30 kB. To be imported before the first session; the library reads the
 * process's environment, also from worker threads.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
