import assert from 'node:assert/strict';
import test from 'node:test';
import { checkRead, checkSpoilt, fault, readAs, spansOf } from '../../test/support/annotationFiles.js';
import { bento } from './bento.js';
import { cvat } from './cvat.js';
import { formatOf } from './formats.js';
import { fileOfText } from './text.js';
import { vidat } from './vidat.js';

const box = (frame: number, outside: 0 | 1) =>
  `<box frame="${frame}" outside="${outside}" keyframe="1" xtl="1" ytl="1" xbr="5" ybr="5"><attribute name="speed">high</attribute></box>`;
const tracks = (...shapes: string[]) => `<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><source>a.mp4</source><frame_filter></frame_filter></task></meta>
<track id="0" label="run" source="manual">${shapes.join('')}</track></annotations>`;

test('CVAT: a track is visible from 0-based frames that are not outside to the next that is', () => {
  const text = tracks(box(0, 0), box(10, 1), box(20, 0), box(24, 0));
  const annotations = readAs(cvat, text, { fps: 10 });
  assert.deepEqual(spansOf(annotations), [
    [0, 1, 'run'],
    [2, 2.5, 'run'],
  ]);
  assert.equal(annotations.films[0]?.film, 'a.mp4');
  assert.deepEqual(annotations.films[0]?.moments[0]?.attributes, { speed: 'high' });
  assert.match(annotations.notes.join(), /shapes of 1 track left out/);
  assert.throws(() => readAs(cvat, text), fault(/--fps/));
});

test('CVAT for images and tasks that leave frames out are refused by name', () => {
  const images = '<annotations><image id="0" name="frame_000000"><tag label="run"/></image></annotations>';
  assert.throws(() => readAs(cvat, images), fault(/list\.file:1: <image> is of "CVAT for images"; export "CVAT for video 1\.1"/));
  const filtered = tracks(box(0, 0)).replace('<frame_filter>', '<frame_filter>step=5');
  assert.throws(() => readAs(cvat, filtered, { fps: 10 }), fault(/leaves frames out \(step=5\)/));
  assert.throws(() => readAs(cvat, tracks(box(-1, 0)), { fps: 10 }), fault(/frame="-1"/));
});

const list = {
  version: '2.0.6',
  annotation: {
    video: { src: 'videos/a.mp4', fps: 10, frames: 100, duration: 10 },
    actionAnnotationList: [{ start: 1.5, end: 4, object: 1, action: 2, color: '#fff', description: 'sure' }],
  },
  config: {
    objectLabelData: [{ id: 1, name: 'ann' }],
    actionLabelData: [
      { id: 2, name: 'run' },
      { id: 3, name: 'hop' },
    ],
  },
};

test('Vidat: actions in seconds, with classes and objects by id', () => {
  const { films, labels } = readAs(vidat, list);
  const { where: _, ...moment } = films[0]?.moments[0] ?? {};
  assert.deepEqual(moment, { startSec: 1.5, endSec: 4, labels: ['run'], comment: 'sure', attributes: { object: 'ann' } });
  assert.deepEqual([films[0]?.film, films[0]?.durationSec, labels], ['videos/a.mp4', 10, ['run', 'hop']]);
  const unknown = structuredClone(list);
  unknown.config.actionLabelData = [];
  assert.throws(() => readAs(vidat, unknown), fault(/actionAnnotationList\.0\.action: no action has the id 2/));
});

test('Vidat: wrong values at every place are refused with file and place, or read', () => {
  checkSpoilt(vidat, list);
});

const annot = `Bento annotation file
Movie file(s):  a.seq

Annotation start time: 0.0
Annotation stop time: 100.0
Annotation framerate: 10.0

List of channels:
Ch1

List of annotations:
run
hop

Ch1----------
>run
Start\t Stop\t Duration
1.0\t1.9\t0.9
5.0\t5.0\t0.0

>hop
Start\t Stop\t Duration
2.0\t2.4\t0.4
`;

test('Bento: the frame of a stop is included', () => {
  const annotations = readAs(bento, annot);
  assert.deepEqual(spansOf(annotations), [
    [1, 2, 'run'],
    [5, 5.1, 'run'],
    [2, 2.5, 'hop'],
  ]);
  assert.equal(annotations.films[0]?.film, 'a.seq');
});

test('Bento: several channels are chosen by --tier; rows that are none are refused with their line', () => {
  const two = `${annot}\nCh2----------\n>run\nStart\t Stop\t Duration\n7.0\t7.4\t0.4\n`;
  assert.throws(() => readAs(bento, two), fault(/several channels hold labels; choose with --tier: Ch1 \(3\), Ch2 \(1\)/));
  assert.deepEqual(spansOf(readAs(bento, two, { tiers: ['Ch2'] })), [[7, 7.5, 'run']]);
  assert.throws(() => readAs(bento, annot.replace('1.9', 'x')), fault(/list\.file:18: expected start, stop and duration/));
});

test('CVAT, Vidat and Bento: files are of one format', () => {
  for (const [format, text] of [
    [cvat, tracks(box(0, 0))],
    [vidat, JSON.stringify(list)],
    [bento, annot],
  ] as const) {
    assert.equal(formatOf(fileOfText('list.file', text)), format);
  }
});

test('CVAT and Bento: a file spoilt anywhere is refused with file and place, or read', () => {
  for (const [format, text] of [
    [cvat, tracks(box(0, 0), box(10, 1))],
    [bento, annot],
  ] as const) {
    for (let at = 0; at < text.length; at += 2) {
      for (const piece of ['', '-', '<', '9e999', '\n']) {
        checkRead(format, fileOfText('list.file', text.slice(0, at) + piece + text.slice(at + 2)), { fps: 10 });
      }
    }
  }
});
