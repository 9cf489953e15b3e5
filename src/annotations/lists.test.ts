import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, readAs } from './annotations.test.fixture.js';
import type { ReadChoices } from './format.js';
import { formatOf, parseAnnotations } from './formats.js';
import { fileOfText } from './text.js';

const charades = (rows: string, choices?: ReadChoices) =>
  readAs('charades', 'list.csv', `id,subject,scene,script,actions,length\n${rows}`, choices);

test('Charades: a row a video, overlap, names of classes by --class-names, a video without actions', () => {
  const rows = '46GP8,HR43,Kitchen,"a, ""b""; c",c092 11.90 21.20;c147 0.00 12.60,24.83\nN11GT,0KZ7,Stairs,x,,18.33\n';
  const result = charades(rows, { classNames: { c092: 'Opening a door', c147: 'Sitting' } });
  assert.deepEqual(brief(result), ['46GP8 11.9-21.2 Opening a door HR43', '46GP8 0-12.6 Sitting HR43']);
  assert.deepEqual(
    result.films.map(({ durationSec }) => durationSec),
    [24.83, 18.33],
  );
  assert.deepEqual(brief(charades(rows))[0], '46GP8 11.9-21.2 c092 HR43');
  assert.deepEqual(charades(rows).notes, ['labels are ids of classes: --class-names FILE names them']);
  assert.throws(() => charades('x,y,z,s,c001 5.0 1.0,9\n'), /list\.csv:2: actions: expected a class, .*, got "c001 5\.0 1\.0"/);
});

const list = (name: string, text: string, choices?: ReadChoices) => brief(readAs(name, 'train.txt', text, choices));

test('mmaction2 lists of videos and of folders of frames: blanks in paths, several labels, names by --class-names', () => {
  const videos = 'a b/c d 1.mp4 3\n\nx.avi 0 12\n';
  assert.deepEqual(list('mmaction2', videos), ['a b/c d 1.mp4 undefined-undefined 3', 'x.avi undefined-undefined 0,12']);
  assert.deepEqual(list('mmaction2', 'some/dir 1 163 1\nx/y 27 0 5\nz 9 4\n', { classNames: { 1: 'run' } }), [
    'some/dir undefined-undefined 163,run',
    'x/y undefined-undefined 0,5',
    'z undefined-undefined 4',
  ]);
});

test('mmaction2: dir start frames label reads like dir frames label label, so that the user says which; frames ask for --fps', () => {
  const file = fileOfText('train.txt', 'some/dir 50 100 1\nx/y 0 25 5\n');
  assert.throws(() => formatOf(file), /train\.txt: of more than one format; say which with --from: mmaction2, mmaction2-parts/);
  assert.throws(() => parseAnnotations(file, {}, 'mmaction2-parts'), /train\.txt:1: times are frames; expected --fps/);
  assert.deepEqual(brief(parseAnnotations(file, { fps: 25 }, 'mmaction2-parts')), ['some/dir 2-6 1', 'x/y 0-1 5']);
});

const elan = (rows: readonly string[], choices: ReadChoices = {}) =>
  readAs('elan-tab', 'e.txt', rows.map((row) => row.split('|').join('\t')).join('\r\n'), { film: 'a.mp4', ...choices });

const spelled = [
  'Begin Time - hh:mm:ss.ms|Begin Time - ss.msec',
  'End Time - hh:mm:ss.ms|End Time - ss.msec',
  'Duration - hh:mm:ss.ms|Duration - ss.msec',
];
const cells = '00:00:01.500|1.5|00:00:03.000|3.0|00:00:01.500|1.5';

test('ELAN tab export: one time in two spellings, a tier and its value, an empty value takes the name of the tier', () => {
  const result = elan([`Tier|Participant|${spelled.join('|')}|Value`, `moves|ann|${cells}|run`, `moves||${cells}|`]);
  assert.deepEqual(brief(result), ['a.mp4 1.5-3 run ann', 'a.mp4 1.5-3 moves']);
});

test('ELAN tab export: a column a tier; which tier holds labels is asked for, with counts', () => {
  const rows = [`${spelled.join('|')}|moves|speech`, `${cells}|run|`, `${cells}||hello`, `${cells}|hop|well`];
  assert.throws(() => elan(rows), /e\.txt: several tiers: moves \(2\), speech \(2\); expected --tier NAME/);
  const chosen = elan(rows, { tiers: ['moves'] });
  assert.deepEqual(brief(chosen), ['a.mp4 1.5-3 run', 'a.mp4 1.5-3 hop']);
  assert.deepEqual(chosen.notes, ['2 moments of other tiers left out']);
  assert.equal(brief(elan(rows, { tiers: ['moves', 'speech'] })).length, 4);
  assert.throws(() => elan(rows, { tiers: ['sound'] }), /no tier sound; there are moves, speech/);
});

test('ELAN tab export: a translated header, an end or a duration alone, milliseconds, decimal commas', () => {
  const french = ['Temps de départ - msec', 'Temps de fin - msec'];
  assert.deepEqual(brief(elan([`${french.join('|')}|moves`, '1500|3000|run', '100|200|hop'])), [
    'a.mp4 1.5-3 run',
    'a.mp4 0.1-0.2 hop',
  ]);
  const durations = ['Temps de départ - ss.msec|Durée - ss.msec|moves', '1,5|1,5|run', '9,0|0,5|hop'];
  assert.deepEqual(brief(elan(durations)), ['a.mp4 1.5-3 run', 'a.mp4 9-9.5 hop']);
});

test('ELAN tab export without a header', () => {
  assert.deepEqual(brief(elan([`moves||${cells}|run`, `moves||${cells}|two words`])), [
    'a.mp4 1.5-3 run',
    'a.mp4 1.5-3 two words',
  ]);
  assert.deepEqual(brief(elan(['00:00:01.500|00:00:03.000|moves|run', '00:01:01.500|00:01:03.000|moves|hop'])), [
    'a.mp4 1.5-3 run',
    'a.mp4 61.5-63 hop',
  ]);
});

test('ELAN tab export does not name its film, which is asked for', () => {
  const file = fileOfText('e.txt', `${spelled.join('\t').replaceAll('|', '\t')}\tmoves\n${cells.replaceAll('|', '\t')}\trun\n`);
  assert.throws(
    () => parseAnnotations(file),
    /e\.txt: ELAN's tab-delimited export is of one film and does not name it; expected --film/,
  );
});
