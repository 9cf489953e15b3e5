/** Whether an error is the fault of one file. */
import { LimitError, VideoError } from '../errors.js';

/**
 * The reason, when the error names the file; undefined for what no file can help, such as a missing decoder or a mistake here.
 */
export function faultOf(path: string, error: unknown): string | undefined {
  const named = `${path}: `;
  const isFault = (error instanceof VideoError || error instanceof LimitError) && error.message.startsWith(named);
  return isFault ? error.message.slice(named.length) : undefined;
}
