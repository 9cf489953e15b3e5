/**
 * Tells ONNX Runtime to keep to itself. From 1.29 on its Linux library reports each session to its maker, keeps a device number in
 * the user's cache folder for that, and (1.30) crashes on command lines of more than 30 kB, which it reads for the report. Must be
 * imported before the first session; the library asks the process's environment, also from worker threads.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
