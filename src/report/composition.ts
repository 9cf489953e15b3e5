import { splitNames } from '../dataset/labelledVideos.js';
import type { RunRecord } from '../train/runFolder/runRecord.js';
import type { ReportComposition } from './reportData.js';
import { percent } from './reportText.js';
import type { RunResult } from './runEvaluation.js';
import type { RunFiles } from './runFiles.js';

/** Undefined when nothing is known. */
export function composition(run: RunFiles, result: RunResult): ReportComposition | undefined {
  const { record, digest } = run;
  const data = record?.data;
  const now = result.data;
  if (data === undefined && now === undefined) return undefined;
  return {
    facts: [
      ['Place', data?.path ?? now?.root],
      ['Kind', data?.source ?? now?.source],
      ['Splits', data?.splitBy ?? now?.splitBy],
      ['Fingerprint', digest?.slice(0, 16)],
    ],
    classes: data?.counts ?? countsNow(now),
    leftOut: data?.leftOut ?? [],
    findings: [...(data?.notes ?? now?.notes ?? []), ...(data ? clueTexts(data) : [])],
  };
}

function countsNow(data: RunResult['data']): ReportComposition['classes'] {
  if (data === undefined) return [];
  return data.labels.map((label, i) => {
    const counts = splitNames.map((split) => [
      split,
      data.videos.filter(({ labelIndex, labelIndices = [labelIndex], ...v }) => labelIndices.includes(i) && v.split === split)
        .length,
    ]);
    return { label, train: 0, val: 0, test: 0, ...Object.fromEntries(counts) };
  });
}

/** Accuracy from a video's length and shape alone: a floor for networks that use motion. */
function clueTexts({ clues }: RunRecord['data']): string[] {
  return clues.map(({ what, accuracy, chance, tells }) => {
    const guess = `The ${what} of a training video alone tells its class in ${percent(accuracy, 0)} of the cases`;
    return `${guess} (the largest class: ${percent(chance, 0)})${tells ? ': a network may learn that instead of motion.' : ': no more than chance.'}`;
  });
}
