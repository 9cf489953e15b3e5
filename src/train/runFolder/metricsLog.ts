/** metrics.jsonl of a run, in a store of files: a line of JSON an epoch. */
import { VmfError, WeightsError } from '../../errors.js';
import { parsedJson } from '../../json.js';
import type { FileStore } from '../../platform/fileStore.js';

export const metricsName = 'metrics.jsonl';

export class MetricsLog {
  constructor(private readonly files: FileStore) {}

  /** Adds a line: whole, or not at all with a VmfError. */
  async log(row: object): Promise<void> {
    try {
      await this.files.appendLine(metricsName, JSON.stringify(row));
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      const { path, reason } = error;
      throw new VmfError(`${reason}; the checkpoints that are there are whole`, { path, cause: error });
    }
  }

  /** All whole lines, in order. */
  async rows(): Promise<Readonly<Record<string, unknown>>[]> {
    return (await this.lines()).map(parsed).filter((row) => row !== undefined);
  }

  /** Drops lines of epochs after this one: they are run again by a resumed run. */
  async keepEpochs(upTo: number): Promise<void> {
    const lines = await this.lines();
    const kept = lines.filter((line) => epochOf(line) <= upTo);
    if (lines.length > 0)
      await this.files.write(metricsName, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(''))]);
  }

  /** For a new run. */
  clear(): Promise<void> {
    return this.files.remove(metricsName);
  }

  private async lines(): Promise<string[]> {
    if (!(await this.files.list()).includes(metricsName)) return [];
    const file = await this.files.open(metricsName);
    try {
      const text = new TextDecoder().decode(await file.read(0, file.size));
      return text.split('\n').filter((line) => line !== '');
    } finally {
      await file.close();
    }
  }
}

/** Undefined for a line that a crash cut off. */
const parsed = (line: string) => parsedJson(line) as Readonly<Record<string, unknown>> | undefined;

function epochOf(line: string): number {
  const row = parsed(line);
  return row === undefined ? Number.POSITIVE_INFINITY : Number(row['epoch'] ?? 0);
}
