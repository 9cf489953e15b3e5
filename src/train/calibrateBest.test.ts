import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { writeTinyWeights } from '../../test/support/randomWeights.js';
import { videosForWeights } from '../../test/support/videosForWeights.js';
import type { LabelledVideos, Split } from '../dataset/labelledVideos.js';
import { parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { calibrateBest } from './calibrateBest.js';

const labels = ['bow', 'jump', 'wave'];

test('the best weights are calibrated on validation videos only, where there are enough and they can tell', async (t) => {
  const folder = temporaryFolder(t);
  const weights = await writeTinyWeights(join(folder, 'best.safetensors'), { labels });
  const videos = await videosForWeights(folder, weights, { count: 22, wrongEvery: 5 });
  const data = (splitOf: (i: number) => Split, some = videos): LabelledVideos => ({
    ...{ root: folder, source: 'list', labels, splitBy: 'as given', notes: [] },
    videos: some.map((video, i) => ({ ...video, labelIndex: labels.indexOf(video.label), split: splitOf(i), columns: {} })),
  });
  const told = async (set: LabelledVideos, path = weights) => {
    const messages: string[] = [];
    const onEvent = ({ kind, message }: { kind: string; message: string }) => messages.push(`${kind}: ${message}`);
    await calibrateBest({ threads: 1, workers: 1, onEvent }, path, set);
    return messages;
  };
  const untouched = readFileSync(weights);
  assert.deepEqual(await told(data(() => 'test')), []);
  assert.deepEqual(await told(data((i) => (i < 19 ? 'val' : 'train'))), [
    'note: not calibrated: 19 validation videos, 20 are needed',
  ]);
  const allWrong = videos.filter((_, i) => i % 5 === 0);
  const alike = data(
    () => 'val',
    Array.from({ length: 20 }, (_, i) => allWrong[i % allWrong.length] ?? (allWrong[0] as never)),
  );
  assert.deepEqual(await told(alike), [
    'warning: not calibrated: none of the 20 videos are answered rightly: they cannot tell how sure an answer should be',
  ]);
  assert.match(
    (
      await told(
        data(() => 'val'),
        join(folder, 'none.safetensors'),
      )
    ).join(),
    /^warning: not calibrated: .*none\.saf.*ENOENT/,
  );
  assert.deepEqual(readFileSync(weights), untouched);

  const [note, ...more] = await told(data((i) => (i < 20 ? 'val' : 'test')));
  assert.deepEqual(more, []);
  assert.match(
    note ?? '',
    /^note: calibrated on 20 validation videos: temperature [\d.]+, calibration error [\d.]+ % -> [\d.]+ %$/,
  );
  const { calibration } = parseCheckpoint(await readSafetensors(weights), weights);
  assert.deepEqual([calibration?.fittedOn.videos, calibration?.fittedOn.split], [20, 'val']);
});
