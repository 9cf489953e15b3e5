/**
 * The named errors of the project. One class per kind of cause, so that callers can tell a bad video from bad weights without
 * reading text. A message says what, where (path, tensor), expected and got, and what to do; it is one line.
 */

/** Base of every error this package raises on purpose. The command line prints its message alone and exits with code 2. */
export class VmfError extends Error {
  override readonly name: string = 'VmfError';
}

/** A video that cannot be opened, decoded or encoded. */
export class VideoError extends VmfError {
  override readonly name = 'VideoError';
}

/** A folder or list of labelled videos that cannot be used as it is. */
export class DatasetError extends VmfError {
  override readonly name = 'DatasetError';
}

/** A weights file that cannot be read, or does not fit the network. */
export class WeightsError extends VmfError {
  override readonly name = 'WeightsError';
}

/** An option, a configuration or a name that is not understood. */
export class ConfigError extends VmfError {
  override readonly name = 'ConfigError';
}

/** Something larger, longer or slower than what is allowed. */
export class LimitError extends VmfError {
  override readonly name = 'LimitError';
}

/** A tensor expression whose shapes do not fit: a mistake in a model, found before anything runs. */
export class ShapeError extends VmfError {
  override readonly name = 'ShapeError';
}
