import { networkCost } from '../models/cost.js';
import { averageName } from '../train/finetune/keptWeights.js';
import type { RunSession } from '../train/runFolder/runRecord.js';
import type { ReportFact } from './reportData.js';
import { duration, grouped, percent, scaled } from './reportText.js';
import type { RunFiles } from './runFiles.js';

/** Wall time of all sessions, or of the finished epochs where nothing else is known. */
export function secondsOf({ record, rows }: RunFiles): number {
  const sessions = record?.sessions.flatMap(({ seconds }) => seconds ?? []) ?? [];
  if (record && sessions.length === record.sessions.length) return sessions.reduce((sum, seconds) => sum + seconds, 0);
  return rows.reduce((sum, { values }) => sum + (values['seconds'] ?? 0), 0);
}

/** Clips of the finished epochs: rates times seconds, since a resumed epoch counts only what it did. */
export function clipsSeen({ rows }: RunFiles): number {
  return Math.round(rows.reduce((sum, { values }) => sum + (values['clipsPerSec'] ?? 0) * (values['seconds'] ?? 0), 0));
}

export function costOf(run: RunFiles): ReportFact[] {
  const { record, rows, best } = run;
  const { macs } = networkCost(best.config);
  const sum = (of: (session: RunSession) => number | undefined) => {
    const values = record?.sessions.map(of) ?? [];
    return values.length > 0 && values.every((value) => value !== undefined) ? values.reduce((a, b) => a + b, 0) : undefined;
  };
  const [seconds, cpu, clips] = [secondsOf(run), sum(({ cpuSeconds }) => cpuSeconds), clipsSeen(run)];
  const peak = Math.max(0, ...(record?.sessions.map(({ peakMemoryBytes = 0 }) => peakMemoryBytes) ?? []));
  const learning = rows.reduce((all, { values }) => all + (values['seconds'] ?? 0), 0);
  return [
    ['Time', record ? `${duration(seconds)}${sessionsText(record.sessions.length)}` : `${duration(seconds)} in its epochs`],
    ['Of all cores', cpu === undefined ? undefined : `${duration(cpu)}, ${(cpu / seconds).toFixed(1)} cores busy on average`],
    ['Clips seen', clips > 0 ? `${grouped(clips)} in ${rows.length} ${rows.length === 1 ? 'epoch' : 'epochs'}` : undefined],
    ['Speed', learning > 0 && clips > 0 ? `${(clips / learning).toFixed(1)} clips a second` : undefined],
    [
      'Multiply-adds',
      clips > 0
        ? macsText(
            macs,
            clips,
            rows.some(({ values }) => values['step'] !== 0),
          )
        : undefined,
    ],
    ['Peak memory', peak > 0 ? `${(peak / 1e6).toFixed(0)} MB` : undefined],
    ['Machine', machineOf(record?.sessions.at(-1))],
    ['Began', record?.sessions[0]?.startedAt.replace('T', ' ').replace(/\..*$/, ' UTC')],
    ['Kept', bestText(run)],
  ];
}

/** A step costs about three forward passes; a linear probe on frozen features has none. */
function macsText(macs: number, clips: number, hasSteps: boolean): string {
  const passes = hasSteps ? 3 : 1;
  return `about ${scaled(passes * macs * clips)}: clips × ${scaled(macs)}${hasSteps ? ' × 3 for the gradients' : ''}`;
}

function sessionsText(count: number): string {
  return count === 1 ? '' : `, in ${count} sessions`;
}

function bestText(run: RunFiles): string | undefined {
  const what = keptOf(run);
  const { multiLabel, notes } = run.best;
  const [measure, name] = multiLabel ? (['bestMap', 'mAP'] as const) : (['bestTop1', 'top-1'] as const);
  const reached = run.record?.outcome?.[measure] ?? Number(notes[multiLabel ? 'valMap' : 'valTop1'] ?? Number.NaN);
  if (what === undefined) return undefined;
  return Number.isFinite(reached) ? `${what}, validation ${name} ${percent(reached)} in training` : what;
}

export function machineOf(session: RunSession | undefined): string | undefined {
  if (session === undefined) return undefined;
  const { processor, cores, memoryBytes, platform, node } = session.machine;
  return `${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GB, ${platform}, Node ${node.replace(/^v/, '')}`;
}

/** What `best` holds, in words; undefined if unrecorded, and for a classifier on frozen features, which has no choice. */
export function keptOf(run: RunFiles): string | undefined {
  if (isBaseline(run)) return undefined;
  const [epoch, tuned] = [bestEpochOf(run), tunedShareOf(run)];
  return epoch === undefined ? (tuned !== undefined && averageName(tuned)) || undefined : `epoch ${epoch}`;
}

/** Whether the network stayed as it was and only a classifier was fitted. */
export const isBaseline = ({ best }: RunFiles): boolean => best.notes['baseline'] !== undefined;

/** Share of the last epoch's weights in `best`, 0 for a probe alone; undefined for an epoch as it is. */
export function tunedShareOf({ best: { notes } }: RunFiles): number | undefined {
  if (notes['probe'] !== undefined) return 0;
  return notes['tunedShare'] === undefined ? undefined : Number(notes['tunedShare']);
}

/** The epoch whose weights are in `best`; undefined where they are those of a probe, or an average with it. */
export function bestEpochOf(run: RunFiles): number | undefined {
  const { record, rows, best } = run;
  const tuned = tunedShareOf(run);
  if (tuned !== undefined) return tuned === 1 ? rows.at(-1)?.epoch : undefined;
  const epoch = record?.outcome?.bestEpoch ?? Number(best.notes['epoch'] ?? Number.NaN);
  return Number.isInteger(epoch) ? epoch : undefined;
}
