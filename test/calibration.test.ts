/** `vmf eval --calibrate`, and predict and eval with calibrated weights. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkpointFile } from '../src/weights/checkpoint.js';
import { writeSafetensors } from '../src/weights/files.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const labels = ['bow', 'jump', 'wave'];
const shared = temporaryFolder({ after });

before(async () => {
  await writeTinyWeights(join(shared, 'w.safetensors'), { labels, preprocess: { windowSec: 1 } });
  const names = Array.from({ length: 27 }, (_, i) => `${i}.mp4`);
  for (const [seed, name] of names.entries()) makeVideo(join(shared, name), { seed, frames: 8 });
  const { out } = await vmf(shared, 'predict', ...names, '--weights', 'w.safetensors', '--json');
  const said = (JSON.parse(out) as { predictions: { label: string }[] }[]).map(({ predictions }) => predictions[0]?.label ?? '');
  const rows = names.map((name, i) => {
    const right = labels.indexOf(said[i] ?? '');
    return [name, labels[(right + (i % 6 === 0 ? 1 : 0)) % 3], i < 24 ? 'val' : 'test'].join();
  });
  writeFileSync(join(shared, 'list.csv'), `path,label,split\n${rows.join('\n')}\n`);
});

async function withThreshold(path: string, rejectThreshold: number): Promise<void> {
  const fittedOn = { videos: 24, split: 'val', views: '1x1', eceBefore: 0.2, eceAfter: 0.1, nllBefore: 1, nllAfter: 0.5 };
  const calibration = { temperature: 1, fittedOn, rejectThreshold };
  await writeSafetensors(path, checkpointFile({ ...tinyCheckpoint({ labels, preprocess: { windowSec: 1 } }), calibration }));
}

test('eval --calibrate: fits on val, stores, tells; eval then tests with it', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'out.safetensors');
  const list = ['eval', 'list.csv', '--weights'];
  const {
    code,
    out: said,
    err,
  } = await vmf(shared, ...list, 'w.safetensors', '--calibrate', '--unknown', '0.8', '--calibrated-out', out);
  assert.equal(code, 0, err);
  assert.match(
    said,
    /^\S+: temperature [\d.]+, fitted on 24 videos of split val, views 1x1\n\non these videos +before +after\nexpected cal/,
  );
  assert.match(
    said,
    /\nunknown below [\d.]+: [\d.]+ % of these videos are answered, [\d.]+ % of the answers are right \(asked for 80\.0 %\)\n/,
  );
  const tested = await vmf(shared, ...list, out, '--json', '--reject-threshold', '1');
  const { calibration, unknown, count } = JSON.parse(tested.out);
  assert.equal(count, 3);
  assert.equal(calibration.temperature.toFixed(3), / temperature ([\d.]+)/.exec(said)?.[1]);
  assert.deepEqual(unknown, { below: 1, answered: 0, coverage: 0, correct: 0, accuracy: null });
  const text = await vmf(shared, ...list, out, '--reject-threshold', '0.01');
  assert.match(
    text.out,
    /\ncalibration error +[\d.]+ % +\(bins of equal counts: [\d.]+ %; temperature [\d.]+, fitted on 24 videos of split val\)\n/,
  );
  assert.match(text.out, /\nunknown below 0\.010 +100\.0 % answered, [\d.]+ % of the answers right \(\d of 3\)\n/);
  copyFileSync(join(shared, 'w.safetensors'), join(folder, 'same.safetensors'));
  const inPlace = await vmf(shared, ...list, join(folder, 'same.safetensors'), '--calibrate', '--json');
  assert.equal(JSON.parse(inPlace.out).calibration.temperature, calibration.temperature);
  assert.match(readFileSync(join(folder, 'same.safetensors')).toString('latin1'), /"calibration":/);
});

test('predict: unknown in text, JSON and CSV; --views; --reject-threshold against the weights', async (t) => {
  const folder = temporaryFolder(t);
  const weights = join(folder, 'sure.safetensors');
  await withThreshold(weights, 1);
  const predict = (...args: string[]) => vmf(shared, 'predict', '0.mp4', '--weights', weights, ...args);
  const { out } = await predict('--top', '2');
  assert.match(
    out,
    /^0\.mp4 {2}\([\d.]+ s\)\n {2}unknown \(best: (bow|jump|wave) 0\.\d\d\)\n +[\d.]+ % {2}\w+\n +[\d.]+ % {2}\w+\n$/,
  );
  const [json] = JSON.parse((await predict('--json')).out);
  assert.deepEqual([Object.keys(json), json.unknown], [['path', 'durationSec', 'predictions', 'unknown'], true]);
  const csv = (await predict('--csv', '--top', '1')).out;
  assert.match(csv, /^path,startSec,endSec,rank,label,score\n0\.mp4,0,[\d.]+,1,unknown,\n0\.mp4,0,[\d.]+,2,\w+,0\.\d+\n$/);
  const timeline = await predict('--timeline', '--window', '0.3');
  assert.match(timeline.out, / s to +[\d.]+ s {2}unknown \(best: \w+ 0\.\d\d\)\n/);
  assert.ok(!(await predict('--reject-threshold', '0')).out.includes('unknown'));
  const scores = async (...args: string[]) => JSON.parse((await predict('--json', ...args)).out)[0].predictions;
  assert.notDeepEqual(await scores('--views', '3x3'), await scores());
  const tested = await vmf(shared, 'eval', 'list.csv', '--weights', weights, '--views', '3x3', '--json', '--split', 'all');
  const [row] = JSON.parse(tested.out).rows;
  assert.ok(Math.abs(Math.max(...row.scores) - (await scores('--views', '3x3'))[0].score) < 1e-6, 'as eval averages views');
});

test('refused with one line', async (t) => {
  const folder = temporaryFolder(t);
  const weights = join(folder, 'w.safetensors');
  copyFileSync(join(shared, 'w.safetensors'), weights);
  const bytes = readFileSync(weights);
  const evaluate = ['eval', 'list.csv', '--weights', weights];
  for (const split of ['test', 'all']) {
    const reason = new RegExp(`^vmf: --calibrate: nothing is fitted on test videos \\(--split ${split}\\); use val`);
    await refused(shared, [...evaluate, '--calibrate', '--split', split], reason);
  }
  await refused(
    shared,
    [...evaluate, '--calibrate', '--filter', 'label=jump'],
    /split val has \d+ videos; at least 20 are needed/,
  );
  await refused(shared, [...evaluate, '--calibrated-out', 'x.safetensors'], /add --calibrate/);
  await refused(
    shared,
    [...evaluate, '--unknown', '0.9'],
    /chooses a threshold with --calibrate; to set one by hand use --reject-threshold/,
  );
  await refused(shared, [...evaluate, '--calibrate', '--csv', 'rows.csv'], /--csv: --calibrate writes weights only/);
  await refused(shared, [...evaluate, '--reject-threshold', '95'], /Expected a number from 0 to 1, such as 0\.9/);
  await refused(shared, [...evaluate, '--calibrate', '--calibrated-out', 'no/x.safetensors'], /there is no folder no$/m);
  assert.deepEqual(readFileSync(weights), bytes);
});
