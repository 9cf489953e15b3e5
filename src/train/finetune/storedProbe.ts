import { VmfError } from '../../errors.js';
import type { NetworkConfig } from '../../models/config.js';
import { inventoryOf } from '../../models/network.js';
import { countValues } from '../../models/variables.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import type { TrainJob } from '../job.js';
import type { RunFolder } from '../runFolder/runFolder.js';

/** The probe of a run that goes on. Where it cannot be used any more the run ends without averages: undefined, and a warning. */
export async function storedProbe(
  folder: RunFolder,
  config: NetworkConfig,
  onEvent: NonNullable<TrainJob['onEvent']>,
): Promise<Checkpoint | undefined> {
  const lost = (reason: string) => {
    const message = `${reason}; the run ends with its best epoch, without averages with the probe`;
    onEvent({ kind: 'warning', message });
    return undefined;
  };
  try {
    const probe = await folder.readProbe();
    return isOf(config, probe) ? probe : lost(`${folder.probePath}: is of another network`);
  } catch (error) {
    if (error instanceof VmfError) return lost(error.message);
    throw error;
  }
}

function isOf(config: NetworkConfig, { parameters, statistics }: Checkpoint): boolean {
  const inventory = inventoryOf(config);
  return parameters.length === countValues(inventory.parameters) && statistics.length === countValues(inventory.statistics);
}
