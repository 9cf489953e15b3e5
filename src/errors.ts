/** The errors of the project, one class per kind of cause. A message is one line: what, where (path, tensor), expected and got, what to do. `path` names the file at fault. */

/** Details for programs. */
export interface ErrorDetails {
  /** The file, folder or stream at fault; the message then begins with it. */
  readonly path?: string | undefined;
  /** What went wrong; by default the code of the class. */
  readonly code?: ErrorCode;
  /** The error behind this one. */
  readonly cause?: unknown;
}

export type ErrorCode =
  | 'vmf'
  | 'video'
  | 'dataset'
  | 'weights'
  | 'config'
  | 'limit'
  | 'shape'
  /** There is no such file. */
  | 'missing'
  /** Holds nothing: no bytes, or not one frame. */
  | 'empty'
  /** Holds sound, but no picture. */
  | 'soundOnly'
  /** Gave no result in the time allowed. */
  | 'timeout'
  /** The worker thread died over it. */
  | 'crashed';

/** Base of every error this package raises on purpose. The command line prints its message alone and exits with code 2. */
export class VmfError extends Error {
  override readonly name: string = 'VmfError';
  /** The message without the path. */
  readonly reason: string;
  readonly path: string | undefined;
  readonly code: ErrorCode;

  constructor(reason: string, { path, code, cause }: ErrorDetails = {}) {
    super(path === undefined ? reason : `${path}: ${reason}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.path = path;
    this.code = code ?? new.target.code;
  }

  protected static readonly code: ErrorCode = 'vmf';
}

/** A video that cannot be opened, decoded or encoded. */
export class VideoError extends VmfError {
  override readonly name = 'VideoError';
  protected static override readonly code = 'video';
}

/** A folder or list of labelled videos that cannot be used as it is. */
export class DatasetError extends VmfError {
  override readonly name = 'DatasetError';
  protected static override readonly code = 'dataset';
}

/** A weights file that cannot be read, or does not fit the network. */
export class WeightsError extends VmfError {
  override readonly name = 'WeightsError';
  protected static override readonly code = 'weights';
}

/** An option, a configuration or a name that is not understood. */
export class ConfigError extends VmfError {
  override readonly name = 'ConfigError';
  protected static override readonly code = 'config';
}

/** Something larger, longer or slower than what is allowed. */
export class LimitError extends VmfError {
  override readonly name = 'LimitError';
  protected static override readonly code = 'limit';
}

/** A tensor expression whose shapes do not fit: a mistake in a model, found before anything runs. */
export class ShapeError extends VmfError {
  override readonly name = 'ShapeError';
  protected static override readonly code = 'shape';
}

/** The text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether this video is at fault, not a missing decoder or a bug. */
export const isFaultOf = (path: string, error: unknown): error is VideoError | LimitError =>
  (error instanceof VideoError || error instanceof LimitError) && error.path === path;

/** The code that the system gave an error (ENOENT and the like); undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && !(error instanceof VmfError) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
