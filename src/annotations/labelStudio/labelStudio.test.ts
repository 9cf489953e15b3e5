import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  checkSpoilt,
  comparable,
  fault,
  randomAnnotations,
  readAs,
  spansOf,
  textOfFirst,
  written,
} from '../../../test/support/annotationFiles.js';
import type { Annotations } from '../annotations.js';
import { formatOf } from '../formats.js';
import { fileOfText } from '../text.js';
import { labelStudio } from './labelStudio.js';

const film = '/data/upload/3/1a2b3c4d-a.mp4';
const range = (start: number | null, end: number | null) => ({ start, end });
const base = { to_name: 'video', origin: 'manual' };

const timeline = (id: string, labels: readonly string[], ...ranges: object[]) => {
  return { ...base, id, from_name: 'moves', type: 'timelinelabels', value: { ranges, timelinelabels: labels } };
};

const task = (...result: object[]) => ({ id: 1, data: { video: film }, annotations: [{ id: 5, completed_by: 1, result }] });
const read = (value: unknown, choices = {}) => readAs(labelStudio, value, choices);
const at24 = { fps: 24 };

test('Label Studio: timeline ranges count frames from 1, both ends included, start = end is one frame', () => {
  const result = [timeline('r1', ['run'], range(3, 8), range(24, 24)), timeline('r2', ['hop', 'turn'], range(1, 1))];
  const annotations = read([task(...result)], { fps: 10 });
  assert.deepEqual(spansOf(annotations), [
    [0.2, 0.8, 'run'],
    [2.3, 2.4, 'run'],
    [0, 0.1, 'hop+turn'],
  ]);
  assert.equal(annotations.films[0]?.film, film);
  assert.equal(annotations.films[0]?.moments[1]?.where, 'list.json:0.annotations.0.result.0.value');
});

test('Label Studio: the rate of the grid is not in the export and is asked for', () => {
  assert.throws(() => read([task(timeline('r1', ['run'], range(1, 5)))]), fault(/grid \(24 unless it says otherwise\).*--fps/));
});

test('Label Studio: a null end is neither guessed nor dropped silently', () => {
  const value = [task(timeline('r1', ['run'], range(25, null)), timeline('r2', ['hop'], range(null, 24)))];
  assert.throws(() => read(value, at24), fault(/result\.0\.value\.ranges\.0: has no end; expected --unpaired/));
  assert.deepEqual(spansOf(read(value, { ...at24, unpaired: 'end' })), [
    [1, undefined, 'run'],
    [undefined, 1, 'hop'],
  ]);
  const dropped = read(value, { ...at24, unpaired: 'drop' });
  assert.deepEqual(spansOf(dropped), []);
  assert.match(dropped.notes.join(), /2 ranges without start or end left out/);
});

const config = (video: string) => `<View><TimelineLabels name="moves" toName="video"/>${video}</View>`;

function webhook(video: string, data: object = { clip: film, name: 'x.mp4' }): object {
  const annotation = { id: 5, completed_by: 1, result: [timeline('r1', ['run'], range(1, 50))] };
  return { action: 'ANNOTATION_CREATED', task: { id: 1, data }, annotation, project: { id: 3, label_config: config(video) } };
}

for (const [what, video, data, expected] of [
  ['number', '<Video name="video" value="$clip" frameRate="25"/>', {}, 2],
  ['text of the data', '<Video name="video" value="$clip" frameRate="$rate"/>', { rate: '12.5' }, 4],
  ['value below 1: seconds a frame', '<Video name="video" value="$clip" frameRate="0.04"/>', {}, 2],
  ['default of 24', '<Video name="video" value="$clip"/>', {}, 2.083333],
] as const) {
  test(`Label Studio: a webhook's configuration names the video and its frameRate: ${what}`, () => {
    const { films, notes } = read(webhook(video, { clip: film, other: 'b.mp4', ...data }));
    assert.deepEqual(spansOf({ films, notes }), [[0, expected, 'run']]);
    assert.equal(films[0]?.film, film);
  });
}

test('Label Studio: a configuration with a document type is refused', () => {
  const bomb = '<!DOCTYPE x [<!ENTITY a "b">]>';
  const value = webhook('');
  Object.assign(value, { project: { label_config: `${bomb}${config('<Video name="v" value="$clip"/>')}` } });
  assert.throws(() => read(value), fault(/label_config:1: has a document type/));
});

const frame = (number: number, enabled: boolean) => ({
  frame: number,
  enabled,
  time: number / 10,
  x: 1,
  y: 1,
  width: 5,
  height: 5,
  rotation: 0,
});
const box = (id: string, sequence: object[], more: object = {}) => {
  return {
    ...base,
    id,
    from_name: 'box',
    type: 'videorectangle',
    value: { sequence, labels: ['ann'], framesCount: 100, ...more },
  };
};

test('Label Studio: boxes are visible from an enabled keyframe to the next disabled one, that frame included; the rate is frame/time', () => {
  const sequence = [frame(1, true), frame(11, true), frame(20, false), frame(41, true)];
  const annotations = read([task(box('b1', sequence, { duration: 9.5 }))]);
  assert.deepEqual(spansOf(annotations), [
    [0, 2, 'ann'],
    [4, 9.5, 'ann'],
  ]);
  assert.equal(annotations.films[0]?.durationSec, 9.5);
  assert.match(annotations.notes.join(), /1 rectangle of boxes left out/);
  assert.deepEqual(spansOf(read([task(box('b1', [frame(41, true)]))])), [[4, 10, 'ann']]);
});

test('Label Studio: issue 9744, boxes exported again as timelinelabels without ranges are skipped, and said', () => {
  const again = {
    ...base,
    id: 'b1',
    from_name: 'moves',
    type: 'timelinelabels',
    value: { timelinelabels: ['run'], framesCount: 100 },
  };
  const value = [task(timeline('r1', ['run'], range(1, 10)), box('b1', [frame(1, true)]), again)];
  const annotations = read(value, { fps: 10, tiers: ['moves'] });
  assert.deepEqual(spansOf(annotations), [[0, 1, 'run']]);
  assert.match(annotations.notes.join('; '), /box \(1\).*1 box region exported a second time/s);
  const alone = [task({ ...again, id: 'x' })];
  assert.throws(() => read(alone, at24), fault(/ranges: expected a list, got nothing/));
});

test('Label Studio: labels of an audio in seconds; labels of a text are none', () => {
  const audio = {
    ...base,
    id: 'a1',
    from_name: 'parts',
    type: 'labels',
    value: { start: 1.25, end: 3, channel: 0, labels: ['run'] },
  };
  const text = {
    ...base,
    id: 't1',
    from_name: 'words',
    type: 'labels',
    value: { start: 0, end: 3, text: 'abc', labels: ['noun'] },
  };
  const annotations = read([task(audio, text)]);
  assert.deepEqual(spansOf(annotations), [[1.25, 3, 'run']]);
  assert.match(annotations.notes.join(), /1 result of type labels left out/);
});

const choice = (id: string, ...choices: string[]) => ({ ...base, id, from_name: 'way', type: 'choices', value: { choices } });

test('Label Studio: choices are for the whole clip, or for the region whose id they share', () => {
  assert.deepEqual(spansOf(read([task(choice('c1', 'run', 'hop'))])), [[undefined, undefined, 'run+hop']]);
  const { films } = read([task(timeline('r1', ['run'], range(1, 24)), choice('r1', 'fast', 'left'))], at24);
  assert.deepEqual(films[0]?.moments[0]?.attributes, { way: 'fast, left' });
});

test('Label Studio: several controls hold labels: listed, then chosen by --tier', () => {
  const value = [task(timeline('r1', ['run'], range(1, 24)), { ...timeline('r2', ['ann'], range(1, 12)), from_name: 'who' })];
  assert.throws(() => read(value, at24), fault(/several controls hold labels; choose with --tier: moves \(1\), who \(1\)/));
  assert.deepEqual(spansOf(read(value, { ...at24, tiers: ['who'] })), [[0, 0.5, 'ann']]);
  assert.throws(() => read(value, { ...at24, tiers: ['x'] }), fault(/no control is called x; expected: moves \(1\), who \(1\)/));
});

test('Label Studio: cancelled annotations are skipped, and said', () => {
  const cancelled = { was_cancelled: true, completed_by: 2, result: [timeline('r1', ['hop'], range(1, 2))] };
  const { annotations, ...rest } = task(timeline('r1', ['run'], range(1, 24)));
  const result = read([{ ...rest, annotations: [...annotations, cancelled] }], at24);
  assert.deepEqual(spansOf(result), [[0, 1, 'run']]);
  assert.match(result.notes.join(), /1 cancelled annotation left out/);
});

function twoAnnotators(): object {
  const by = (completed_by: unknown, label: string, updated_at = '2024-01-01') => {
    return { completed_by, updated_at, result: [timeline('r1', [label], range(1, 24))] };
  };
  const versions = [
    by({ id: 7, email: 'ann@x.test' }, 'run', '2024-02-02'),
    by(8, 'hop'),
    by({ id: 7, email: 'ann@x.test' }, 'walk'),
  ];
  return { id: 1, data: { video: film }, annotations: versions };
}

test('Label Studio: several annotators are named and chosen by --annotator; the latest version of one counts', () => {
  assert.throws(() => read([twoAnnotators()], at24), fault(/labelled by ann@x\.test, 8; choose one with --annotator/));
  for (const annotator of ['ann@x.test', '7']) {
    const annotations = read([twoAnnotators()], { ...at24, annotator });
    assert.deepEqual(spansOf(annotations), [[0, 1, 'run']]);
    assert.match(annotations.notes.join(), /1 earlier version by the same annotator left out/);
  }
  assert.throws(
    () => read([twoAnnotators()], { ...at24, annotator: 'bob' }),
    fault(/nothing is labelled by bob; labelled by ann@x\.test, 8/),
  );
});

test('Label Studio: predictions are read where nobody annotated, with the score of the region or of all', () => {
  const result = [{ ...timeline('r1', ['run'], range(1, 24)), score: 0.75 }, timeline('r2', ['hop'], range(25, 48))];
  const predictions = [{ model_version: 'm1', score: 0.5, result }];
  const { films } = read([{ id: 1, data: { video: film }, predictions }], at24);
  assert.deepEqual(
    films[0]?.moments.map(({ score }) => score),
    [0.75, 0.5],
  );
  const both = read([{ ...task(timeline('r1', ['run'], range(1, 24))), predictions }], at24);
  assert.equal(both.films[0]?.moments.length, 1);
  assert.match(both.notes.join(), /1 prediction beside annotations left out/);
});

test('Label Studio: completions of old exports', () => {
  const { annotations, ...rest } = task(timeline('r1', ['run'], range(1, 24)));
  assert.deepEqual(spansOf(read([{ ...rest, completions: annotations }], at24)), [[0, 1, 'run']]);
});

test('Label Studio: regions without a label are counted; notes of a region are comments', () => {
  const result = [timeline('r1', [], range(1, 24)), { ...timeline('r2', ['run'], range(1, 24)), meta: { text: ['sure'] } }];
  const { films, notes } = read([task(...result)], at24);
  assert.deepEqual(
    films[0]?.moments.map(({ comment }) => comment),
    ['sure'],
  );
  assert.match(notes.join(), /1 region without a label left out/);
});

for (const [what, data, expected] of [
  ['the only one with the name of a video', { id_text: 'abc', clip: 's3://b/a.mp4', page: 'https://x.test/1' }, 's3://b/a.mp4'],
  ['local files', { clip: '/data/local-files/?d=dir/a.mp4', title: 'a' }, '/data/local-files/?d=dir/a.mp4'],
  ['the key video among several', { video: 'a.mp4', preview: 'b.mp4' }, 'a.mp4'],
] as const) {
  test(`Label Studio: the data key is the user's: ${what}`, () => {
    assert.equal(read([{ ...task(timeline('r1', ['run'], range(1, 2))), data }], at24).films[0]?.film, expected);
  });
}

test('Label Studio: several data that may be the video are refused by name', () => {
  const value = [{ ...task(timeline('r1', ['run'], range(1, 2))), data: { left: 'a.mp4', right: 'b.mp4' } }];
  assert.throws(() => read(value, at24), fault(/0\.data: expected one datum that is a video, got left, right/));
});

const facts = { annotator: 1, annotation_id: 4, created_at: '2024-01-01', updated_at: '2024-01-01', lead_time: 3.5 };
const moves = [
  { ranges: [range(1, 24)], timelinelabels: ['run'] },
  { ranges: [range(25, 48)], timelinelabels: ['hop'] },
];

test('Label Studio JSON-MIN: controls under their names', () => {
  assert.deepEqual(spansOf(read([{ video: film, id: 1, moves, ...facts }], at24)), [
    [0, 1, 'run'],
    [1, 2, 'hop'],
  ]);
});

test('Label Studio JSON-MIN: records of a film and a timeline alone, as scripts write them', () => {
  const value = [{ videos: '/nas/day/a.mp4', id: 123, videoLabels: moves.slice(0, 1) }];
  assert.deepEqual(spansOf(read(value, at24)), [[0, 1, 'run']]);
  assert.equal(formatOf(fileOfText('list.json', JSON.stringify(value))), labelStudio);
});

test('Label Studio JSON-MIN: a lone choice is a bare string, several are an object', () => {
  const value = [
    { video: 'a.mp4', id: 1, way: 'run', ...facts },
    { video: 'b.mp4', id: 2, way: { choices: ['run', 'hop'] }, ...facts },
  ];
  assert.deepEqual(spansOf(read(value)), [
    [undefined, undefined, 'run'],
    [undefined, undefined, 'run+hop'],
  ]);
});

test('Label Studio JSON-MIN: records of one task by several annotators are chosen by --annotator', () => {
  const value = [
    { video: film, id: 1, moves, ...facts },
    { video: film, id: 1, moves: moves.slice(1), ...facts, annotator: 2 },
  ];
  assert.throws(() => read(value, at24), fault(/labelled by 1, 2; choose one with --annotator/));
  assert.deepEqual(spansOf(read(value, { ...at24, annotator: '2' })), [[1, 2, 'hop']]);
});

for (const [kind, delimiter] of [
  ['CSV', ','],
  ['TSV', '\t'],
] as const) {
  test(`Label Studio ${kind}: lists are JSON in a quoted cell, a datum called like a control is _data_`, () => {
    const cell = JSON.stringify(JSON.stringify(moves)).slice(1, -1).replaceAll('\\"', '""');
    const rows = [
      ['_data_video', 'annotation_id', 'annotator', 'created_at', 'id', 'lead_time', 'moves', 'updated_at', 'video'],
      [film, '4', '1', '2024-01-01', '1', '3.5', `"${cell}"`, '2024-01-01', ''],
    ];
    const annotations = read(rows.map((row) => row.join(delimiter)).join('\n'), at24);
    assert.deepEqual(spansOf(annotations), [
      [0, 1, 'run'],
      [1, 2, 'hop'],
    ]);
    assert.equal(annotations.films[0]?.film, film);
  });
}

test('Label Studio: every export is of this format alone', () => {
  const csv = 'annotation_id,annotator,created_at,id,lead_time,label,updated_at,video\n4,1,2024,1,3,run,2024,a.mp4\n';
  for (const text of [
    JSON.stringify([task(timeline('r1', ['run'], range(1, 2)))]),
    JSON.stringify([{ video: film, label: 'run', start: 1, id: 1, ...facts }]),
    JSON.stringify(webhook('<Video name="video" value="$clip"/>')),
    csv,
  ]) {
    assert.equal(formatOf(fileOfText('list.file', text)), labelStudio);
  }
});

test('Label Studio: wrong values at every place are refused with file and place, or read', () => {
  const version = { completed_by: { id: 1, email: 'a@x.test' }, was_cancelled: false, updated_at: '2024' };
  const result = [timeline('r1', ['run'], range(1, 2)), choice('r1', 'fast'), box('b1', [frame(1, true), frame(2, false)])];
  const plain = { id: 1, data: { video: film, rate: 24 }, annotations: [{ ...version, result }] };
  checkSpoilt(labelStudio, [plain], { fps: 24, tiers: ['moves', 'box'] });
  checkSpoilt(labelStudio, [{ id: 1, data: { video: film }, predictions: [{ score: 0.5, model_version: 'm', result }] }], {
    fps: 24,
  });
  checkSpoilt(labelStudio, webhook('<Video name="video" value="$clip" frameRate="$rate"/>', { clip: film, rate: '25' }));
  checkSpoilt(labelStudio, [{ video: film, id: 1, moves, ...facts }], at24);
});

const frames = (fps: number) => ({ step: 1 / fps, labels: true, subject: true, comment: true, attributes: true });

for (const score of [false, true]) {
  test(`Label Studio: ${score ? 'predictions' : 'annotations'} survive a round trip to the frame, with several labels, subjects, comments, attributes`, () => {
    const random = randomAnnotations({ ...frames(25), score });
    fc.assert(
      fc.property(random, (annotations: Annotations) => {
        const output = written(labelStudio, annotations, { fps: 25 });
        assert.deepEqual(output.losses, []);
        const again = read(textOfFirst(output), {
          fps: 25,
          tiers: annotations.films.some(({ moments }) => moments[0]) ? ['label'] : [],
        });
        assert.deepEqual(comparable(again, 1 / 25, true), comparable(annotations, 1 / 25, true));
      }),
      { numRuns: 60 },
    );
  });
}

test('Label Studio: moments that move to whole frames are counted, not those rounded to milliseconds', () => {
  const at = (startSec: number, endSec: number) => ({ startSec, endSec, labels: ['run'], where: '' });
  const moments = [at(1, 2.5), at(1.02, 2), at(0.042, 1.083), at(1, 2.49)];
  const { losses } = written(labelStudio, { films: [{ film: 'a.mp4', moments, where: '' }], notes: [] });
  assert.deepEqual(losses, [{ count: 2, what: 'moments moved to whole frames', moments: false }]);
});

test('Label Studio: what is lost is counted: points, scores beside truth, moments shorter than a frame, names that are taken', () => {
  const moment = { startSec: 1, endSec: 2, labels: ['run'], where: '' };
  const moments = [
    { ...moment, endSec: 1 },
    { ...moment, endSec: 1.001, score: 0.5 },
    { ...moment, attributes: { subject: 'x' } },
  ];
  const output = written(labelStudio, { films: [{ film: 'a.mp4', moments, where: '', split: 'val' }], notes: [] });
  assert.deepEqual(
    output.losses.map(({ count, what }) => `${count} ${what}`),
    [
      '1 points',
      '1 films with a split',
      '1 moments shorter than a frame, now one frame long',
      '1 attributes called subject or comment',
      '1 scores',
    ],
  );
});
