import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, readAs } from './annotations.test.fixture.js';
import type { ReadChoices } from './format.js';
import { csvText } from './table.js';

const readText = (text: string, choices?: ReadChoices) => readAs('boris', 'events.csv', text, choices);
const tabular = (rows: readonly (readonly string[])[]) => readText(csvText(rows));

test('what R saved again has dots in the names of its columns and NA for empty cells', () => {
  const header =
    'Observation.id,Media.file,Total.length,FPS,Subject,Behavior,Modifiers,Behavior.type,Start..s.,Stop..s.,Duration..s.,Comment.start,Comment.stop';
  const { films } = readText(
    `${header}\nd,a.mp4,60,25,NA,run,NA,STATE,1,2.5,1.5,NA,NA\nd,a.mp4,60,25,ann,hop,wet,POINT,3,3,NA,x,NA\n`,
  );
  assert.deepEqual(
    films[0]?.moments.map(({ where: _, ...moment }) => moment),
    [
      { startSec: 1, endSec: 2.5, labels: ['run'] },
      { startSec: 3, endSec: 3, labels: ['hop'], subject: 'ann', comment: 'x', attributes: { 'modifier 1': 'wet' } },
    ],
  );
});

test('tabular export before 8.9: a preamble of any length, then Time in the first cell', () => {
  const rows = [
    ...[
      ['Observation id', 'day 1'],
      ['', ''],
      ['Media file(s)', ''],
      ['Player #1', 'a.mp4'],
      ['Observation date', '2020-01-01 10:00:00'],
    ],
    ...[
      ['Time offset (s)', '100.0'],
      ['independent variables', ''],
      ['variable', 'type', 'value'],
      ['Time', 'text', 'noon'],
    ],
    [
      'Time',
      'Media file path',
      'Total length',
      'FPS',
      'Subject',
      'Behavior',
      'Behavioral category',
      'Modifier 1',
      'Comment',
      'Status',
    ],
    ['102.5', 'a.mp4', '60.000', '25.00', 'ann', 'run', '', 'wet', 'x', 'START'],
    ['103.000', 'a.mp4', '60.000', '25.00', '', 'hop', '', 'None', '', 'POINT'],
    ['104', 'a.mp4', '60.000', '25.00', 'ann', 'run', '', 'wet', 'y', 'STOP'],
  ];
  const result = tabular(rows);
  assert.deepEqual(brief(result), ['a.mp4 2.5-4 run ann', 'a.mp4 3-3 hop']);
  assert.deepEqual([result.films[0]?.durationSec, result.films[0]?.moments[0]?.comment], [60, 'x; y']);
});

const newHeader = (
  'Observation id, Observation date, Description, Observation duration, Observation type, Source, Time offset (s), Media duration (s), FPS, Subject, Weather, Subject, ' +
  'Behavior, Behavioral category, Modifier #1, Behavior type, Time, Media file name, Image index, Image file path, Comment'
).split(', ');

test('tabular export from 8.9: several films, the offset off, an independent variable called Subject, Media file name ignored', () => {
  const row = (time: string, status: string) => [
    ...[
      'day 1',
      '',
      '',
      '120',
      'Media file(s)',
      'player #1:a.mp4;b.mp4|player #2:c.mp4',
      '10',
      '60.000;60.000|60.000',
      '25;25|25',
    ],
    ...['nobody', 'sunny', 'ann', 'run', '', '', status, time, 'Not found', 'NA', 'NA', ''],
  ];
  const expected = ['a.mp4 59-60 run ann', 'b.mp4 0-1.5 run ann', 'c.mp4 59-61.5 run ann'];
  const result = tabular([newHeader, row('69', 'START'), row('71.5', 'STOP')]);
  assert.deepEqual(brief(result), expected);
  assert.match(result.notes[0] ?? '', /^observation "day 1": all cameras are taken to start together/);
  const r = newHeader.map((name) => name.replace(/[ #()]/g, '.'));
  assert.deepEqual(brief(tabular([r, row('69', 'START'), row('71.5', 'STOP')])), expected);
});

test('tabular export cut to an interval: a lone STOP began before it, a lone START ends after it', () => {
  const row = (time: string, status: string, code: string) => [
    ...[
      'day 1',
      '',
      '',
      '60',
      'Media file(s)',
      'player #1:a.mp4',
      '0',
      '60.000',
      '25',
      '',
      '',
      '',
      code,
      '',
      '',
      status,
      time,
      'a.mp4',
    ],
  ];
  const text = csvText([newHeader, row('5', 'STOP', 'run'), row('7', 'START', 'sit')]);
  assert.throws(() => readText(text), /2 states without start or end: run ended at 5 s; sit begun at 7 s/);
  assert.deepEqual(brief(readText(text, { unpaired: 'end' })), ['a.mp4 undefined-5 run', 'a.mp4 7-undefined sit']);
});

const common = 'Subject, Behavior, Behavioral category';
const ends = 'Behavior type, Start (s), Stop (s), Duration (s)';
const images = 'Image index start, Image index stop, Image file path start, Image file path stop';
const observed = 'Observation id, Observation date, Description';
const bySubject = 'Subject, Observation duration by subject by observation, Behavior, Behavioral category';
const comments = 'Comment start, Comment stop';
const aggregatedHeaders = {
  '7.13': `${observed}, Media file, Total length, FPS, ${common}, Modifiers, ${ends}, ${comments}`,
  '8.7': `${observed}, Observation type, Source, Total length, FPS, ${bySubject}, Modifiers, ${ends}, ${comments}`,
  '8.10': `${observed}, Observation type, Source, Total duration, Media duration (s), FPS (frame/s), ${bySubject}, Modifiers, ${ends}, Media file name, ${images}, ${comments}`,
  '9': `${observed}, Observation type, Source, Time offset (s), Coding duration, Media duration (s), FPS (frame/s), Time, ${bySubject}, Modifier #1, Modifier #2, ${ends}, Media file name, ${images}, ${comments}`,
};
const columnsOf = (version: keyof typeof aggregatedHeaders) => aggregatedHeaders[version].split(', ');

test('aggregated exports of every version, as written and after R, a spreadsheet and a tab export', () => {
  const cells: Readonly<Record<string, string>> = {
    ...{
      'Observation id': 'day 1',
      'Observation type': 'Media file',
      'Media file': 'a.mp4',
      Source: 'player #1:a.mp4',
      Time: 'noon',
    },
    ...{ 'Total length': '60.000', 'Media duration (s)': '60.000', FPS: '25', 'FPS (frame/s)': '25', 'Time offset (s)': '0' },
    ...{ Subject: 'ann', Behavior: 'run', Modifiers: 'wet|None', 'Modifier #1': 'wet', 'Modifier #2': 'None' },
    ...{ 'Behavior type': 'STATE', 'Start (s)': '2.500', 'Stop (s)': '4.000', 'Duration (s)': '1.500', 'Comment start': 'x' },
  };
  const point: Readonly<Record<string, string>> = {
    ...cells,
    ...{
      Subject: 'No focal subject',
      Behavior: 'hop',
      'Behavior type': 'POINT',
      'Start (s)': '67',
      'Stop (s)': '67',
      'Duration (s)': 'NA',
    },
  };
  for (const version of ['7.13', '8.7', '8.10', '9'] as const) {
    const header = columnsOf(version);
    const rows = [header, header.map((name) => cells[name] ?? ''), header.map((name) => point[name] ?? '')];
    const r = rows.map((row, i) => (i === 0 ? row.map((name) => name.replace(/[ #()/]/g, '.')) : row));
    const excel = rows
      .map((row) => `${row.map((cell) => cell.replace('.000', '').replace('2.500', '2,5')).join(';')};;`)
      .join('\r\n');
    for (const text of [csvText(rows), csvText(r), `\uFEFF${excel}`, rows.map((row) => row.join('\t')).join('\r\n')]) {
      const result = readText(text);
      assert.deepEqual(brief(result), ['a.mp4 2.5-4 run ann', 'a.mp4 67-67 hop'], `${version}: ${text}`);
      const [first] = result.films[0]?.moments ?? [];
      assert.deepEqual([first?.attributes, first?.comment], [{ 'modifier 1': 'wet' }, 'x'], version);
    }
  }
});

test('aggregated: Source with a blank after the colon or without player, films one after another, live rows left out', () => {
  const header = columnsOf('9');
  const row = (cells: Readonly<Record<string, string>>) => header.map((name) => cells[name] ?? '');
  const common = { Behavior: 'run', 'Behavior type': 'STATE', 'Start (s)': '70', 'Stop (s)': '75' };
  const durations = { 'Media duration (s)': '60.000;60.000', 'Time offset (s)': '5.0' };
  const text = csvText([
    header,
    row({ ...common, ...durations, 'Observation id': '1', Source: 'player #1: a.mp4;b.mp4' }),
    row({ ...common, 'Observation id': '2', Source: 'C:\\x\\c.mp4' }),
    row({ ...common, 'Observation id': '3', Source: 'NA', 'Observation type': 'Live observation' }),
  ]);
  const result = readText(text);
  assert.deepEqual(brief(result), ['b.mp4 5-10 run', 'C:\\x\\c.mp4 70-75 run']);
  assert.deepEqual(result.notes, ['left out: observation "3" is LIVE or of pictures: it has no film']);
});
