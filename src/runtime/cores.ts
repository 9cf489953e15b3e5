/**
 * Allocation of cores to engines, their threads and video decoders, chosen only here. Measured on two cores (bench/README.md,
 * "Throughput"), extrapolated beyond.
 */

/** Least time for one result, or most results an hour. */
export type Mode = 'latency' | 'throughput';

export interface ThreadAllocation {
  /** Engines, each with a session of its own. */
  readonly engines: number;
  /** Threads inside an operator, in each engine. */
  readonly threads: number;
  /** Whether a thread that waits for the next operator spins: quicker on an idle machine, half the speed on a busy one. */
  readonly spin: boolean;
}

/** Beyond this many threads operators are too short to share. */
const mostThreads = 8;
/**
 * Below this many multiply-adds a run waking a second thread costs more than it saves: 0.86 times the speed at 0.1 G, 1.17 times
 * at 1 G (`npm run bench -- race --rows threads`).
 */
const sharedMacs = 5e8;
/** An engine costs 30 to 200 MB; beyond this many, engines get more threads instead. */
const mostEngines = 16;

/**
 * For latency one engine has all cores. For throughput each core has an engine of one thread, since whole clips parallelise
 * better than operators (`engines` sets another number). Decoders share the cores at no loss, as idle threads do not spin.
 */
export function allocateThreads(mode: Mode, cores: number, engines?: number): ThreadAllocation {
  if (mode === 'latency') {
    // No spinning: at 1 G multiply-adds it is a quarter faster on two idle cores, a third slower beside one busy program.
    return { engines: 1, threads: Math.min(cores, mostThreads), spin: false };
  }
  const count = engines ?? Math.min(cores, mostEngines);
  return { engines: count, threads: Math.min(Math.max(Math.floor(cores / count), 1), mostThreads), spin: false };
}

/** Threads for one run of so many multiply-adds. */
export const threadsFor = (macs: number, cores: number): number => (macs < sharedMacs ? 1 : Math.min(cores, mostThreads));

/** Videos decoded at once: a decoder a core, as decoding mostly takes longer than the network. */
export const decodersFor = (cores: number): number => Math.min(cores, 32);
