import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { annotations, comparable, roundTrip } from './annotations.test.fixture.js';
import type { ReadChoices } from './format.js';
import { formatOf, parseAnnotations, writeAnnotations, writerNamed } from './formats.js';
import { fileOfText } from './text.js';

const read = (text: string, choices: ReadChoices = {}, name = 'list.csv') => parseAnnotations(fileOfText(name, text), choices);
const brief = (text: string, choices?: ReadChoices, name?: string) =>
  read(text, choices, name).films.flatMap(({ film, moments }) =>
    moments.map(({ startSec, endSec, labels }) => `${film} ${startSec}-${endSec} ${labels}`),
  );

test('the own CSV holds all of the model, to the last digit', () => {
  const whole = (film: object) => ({ ...film, moments: undefined, where: undefined });
  fc.assert(
    fc.property(annotations, (given) => {
      const { held, back } = roundTrip(writerNamed('csv'), given);
      assert.deepEqual(comparable(back.films, whole), comparable(given.films, whole));
      assert.deepEqual(held.films, given.films);
    }),
    { numRuns: 300 },
  );
});

test('classes without a moment cannot be held by the own CSV, and are counted', () => {
  const given = { ...read('path,label,start,end\na.mp4,run,0,1\n'), labels: ['run', 'hop', 'fly'] };
  const { losses } = writeAnnotations(writerNamed('csv'), given);
  assert.deepEqual(losses, [{ count: 2, what: 'classes without moments', moments: false }]);
});

test('every spelling of the columns is understood, in any order', () => {
  const films = ['video', 'file', 'filename', 'path', 'video_id', 'Media file name', 'Media.file.path', 'youtube_id'];
  const labels = ['label', 'class', 'action', 'behavior', 'Behaviour'];
  const starts = ['start', 'Start (s)', 'Start..s.', 'Start_sec', 'start_time', 't_start', 'time_start', 'begin'];
  const ends = ['end', 'End (s)', 'stop', 'Stop..s.', 'Stop_sec', 'end_time', 't_stop', 'time_end', 'end'];
  for (let i = 0; i < 9; i++) {
    const pick = (names: readonly string[]) => names[i % names.length];
    const table = `${pick(ends)},${pick(labels)},${pick(films)},${pick(starts)}\n2.5,run,a.mp4,1\n`;
    assert.deepEqual(brief(table), ['a.mp4 1-2.5 run'], table);
    assert.equal(formatOf(fileOfText('list.csv', table)).name, 'csv');
  }
});

test('Create ML: CSV or JSON, m:ss and h:mm:ss; without a start from the beginning, without an end to the end', () => {
  const csv = 'video,label,start,end\na.mp4,run,0:01,1:02.5\na.mp4,hop,,0:04\nb.mp4,hop,1:00:01,\nb.mp4,run,,\n';
  const expected = ['a.mp4 1-62.5 run', 'a.mp4 undefined-4 hop', 'b.mp4 3601-undefined hop', 'b.mp4 undefined-undefined run'];
  assert.deepEqual(brief(csv), expected);
  const json = JSON.stringify([
    { video: 'a.mp4', label: 'run', start: 1, end: '1:02.5' },
    { video: 'a.mp4', label: 'hop', end: 4.0 },
    { video: 'b.mp4', label: 'hop', start: '1:00:01' },
    { video: 'b.mp4', label: 'run' },
  ]);
  assert.deepEqual(brief(json, {}, 'list.json'), expected);
});

test('Kinetics: ids that begin with a dash, splits, further columns as attributes; a test list has no labels and says so', () => {
  const { films } = read('label,youtube_id,time_start,time_end,split,is_cc\nplaying chess,-0a_B,12,22,validate,1\n');
  assert.equal(films[0]?.film, '-0a_B');
  assert.equal(films[0]?.split, 'val');
  assert.deepEqual(films[0]?.moments[0]?.attributes, { is_cc: '1' });
  assert.throws(
    () => read('youtube_id,time_start,time_end,split\nx,1,2,test\n'),
    /list\.csv: no column of labels; it has youtube_id/,
  );
});

test('EPIC-KITCHENS: hh:mm:ss.ff and .fff; verb, noun or narration are chosen by --tier', () => {
  const table =
    'narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,stop_frame,narration,verb,verb_class,noun\n' +
    'P01_01_0,P01,P01_01,00:00:01.089,00:00:00.14,00:01:03.370,8,202,open door,open,3,door\n';
  assert.deepEqual(brief(table, { tiers: ['verb'] }), ['P01_01 0.14-63.37 open']);
  assert.deepEqual(brief(table, { tiers: ['verb', 'noun'] }), ['P01_01 0.14-63.37 open,door']);
  assert.throws(() => read(table), /no column of labels; .*verb.*--tier COLUMN/);
  assert.equal(read(table, { tiers: ['verb'] }).films[0]?.moments[0]?.subject, 'P01');
});

test('a spreadsheet saved it again: semicolons with decimal commas, padded rows, NA for nothing', () => {
  assert.deepEqual(brief('\uFEFFfile;label;start;end;;\r\na.mp4;run;67;70,25;;\r\n;;;;;\r\nb.mp4;hop;NA;nan;;\r\n'), [
    'a.mp4 67-70.25 run',
    'b.mp4 undefined-undefined hop',
  ]);
});

test('a duration beside an end, and an offset without an onset, are no ends but kept', () => {
  const { films } = read('file,label,start,end,duration\na.mp4,run,1,2,60\n');
  assert.deepEqual([films[0]?.moments[0]?.endSec, films[0]?.moments[0]?.attributes], [2, { duration: '60' }]);
  assert.deepEqual(brief('file,label,onset,offset\na.mp4,run,1,2\n'), ['a.mp4 1-2 run']);
  assert.deepEqual(brief('file,label,start,offset\na.mp4,run,1,0.5\n'), ['a.mp4 1-undefined run']);
});

test('a duration stands for the end; milliseconds are named so', () => {
  assert.deepEqual(brief('file,label,start,duration\na.mp4,run,1,2.5\n'), ['a.mp4 1-3.5 run']);
  assert.deepEqual(brief('file,label,start_ms,end_ms\na.mp4,run,1500,2500\n'), ['a.mp4 1.5-2.5 run']);
});

test('a duration of 0 or NA is a point in time, an empty one lasts to the end of the film', () => {
  const table = 'file,label,start,duration\na.mp4,run,1,0\na.mp4,run,2,NA\na.mp4,run,3,\n';
  assert.deepEqual(brief(table), ['a.mp4 1-1 run', 'a.mp4 2-2 run', 'a.mp4 3-undefined run']);
  assert.deepEqual(read(table).notes, ['2 rows without length: points in time']);
});

test('frames ask for --fps; the end is not included, except where it is an index of the last frame', () => {
  const table = 'file,class,start_frame_idx,end_frame_idx\na.mp4,run,0,24\n';
  assert.throws(() => read(table), /list\.csv: times are frames \(start_frame_idx\); expected --fps/);
  assert.deepEqual(brief(table, { fps: 25 }), ['a.mp4 0-1 run']);
  assert.deepEqual(brief('file,class,start_frame,end_frame\na.mp4,run,0,25\n', { fps: 25 }), ['a.mp4 0-1 run']);
});

test('a table without a column of videos asks for --film', () => {
  assert.throws(() => read('start,end,label\n1,2,run\n'), /is of one film and does not name it; expected --film/);
  assert.deepEqual(brief('start,end,label\n1,2,run\n', { film: 'a.mp4' }), ['a.mp4 1-2 run']);
});

test('rows of no length are points and counted; an end before its start is an error with its row, never swapped', () => {
  const { films, notes } = read('file,label,start,end\na.mp4,run,2,2\na.mp4,run,3,3\n');
  assert.deepEqual([films[0]?.moments[0]?.startSec, films[0]?.moments[0]?.endSec], [2, 2]);
  assert.deepEqual(notes, ['2 rows without length: points in time']);
  assert.throws(() => read('file,label,start,end\na.mp4,run,2,1\n'), /list\.csv:2: the end \(1 s\) is before the start \(2 s\)/);
});

test('rows out of order, labels that overlap themselves and one span with two labels are kept as they are', () => {
  const table = 'file,labels,start,end\na.mp4,run,5,9\na.mp4,run,1,6\na.mp4,run|hop,1,6\na.mp4,"[""x|y""]",1,6\n';
  assert.deepEqual(brief(table), ['a.mp4 5-9 run', 'a.mp4 1-6 run', 'a.mp4 1-6 run,hop', 'a.mp4 1-6 x|y']);
});

test('what is not readable is an error with its row', () => {
  const fails = (rows: string, message: RegExp) => assert.throws(() => read(`file,label,start,end,split\n${rows}`), { message });
  fails('a.mp4,run,soon,2,\n', /^list\.csv:2: start: expected seconds .*, got "soon"$/);
  fails('a.mp4,,1,2,\n', /^list\.csv:2: the label is empty$/);
  fails('a.mp4,run,1,2,\n,run,1,2,\n', /^list\.csv:3: the video is empty$/);
  fails('a.mp4,run,1,2,tr\n', /^list\.csv:2: expected split train, val or test, got "tr"$/);
  fails('a.mp4,run,1,2,test\na.mp4,run,1,2,train\n', /a\.mp4 is in train here and in test at list\.csv:2/);
});

test('a row with more cells than the first line is refused: a decimal comma without quotes is not cut off', () => {
  const header = 'file,label,start,end';
  assert.throws(() => read(`${header}\na.mp4,run,1,5,2,5\n`), /list\.csv:2: 6 cells, and the first line has 4; /);
  assert.deepEqual(brief(`${header},,\na.mp4,run,1,5,,note\n`), ['a.mp4 1-5 run']);
});

test('a file of no known format says what it has', () => {
  assert.throws(
    () => read('x,y\n1,2\n'),
    /list\.csv: of no format that is known; it has a first line with the cells x, y; say which with --from: csv/,
  );
  assert.throws(() => read('{"a": 1}'), /it has JSON with a; say which/);
});
