/** `vmf convert` as a process. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { refused, vmf } from './support/vmf.js';

const table = 'path,label,start,end,subject\nC:\\x\\a.mp4,run,0.5,1,ann\nC:\\x\\a.mp4,hop,1.5,1.5,\n';

test('losses are said before anything is written, whole moments are lost only with --lossy, nothing is overwritten without --force', async (t) => {
  const root = temporaryFolder(t);
  makeFile(join(root, 'list.csv'), table);
  const lost =
    /^vmf: 1 point \(left out whole\), 1 subject cannot be held by WebVTT: nothing was written; --lossy writes the rest; --around SEC gives points a width$/m;
  await refused(root, ['convert', 'list.csv', 'a.vtt'], lost);
  assert.equal(existsSync(join(root, 'a.vtt')), false);
  const done = await vmf(root, 'convert', 'list.csv', 'a.vtt', '--lossy');
  assert.equal(done.code, 0, done.err);
  assert.equal(done.out, 'a.vtt: 1 film, 2 moments of 2 classes, as WebVTT\n');
  assert.match(
    done.err,
    /^note: 1 row without length: points in time\nlost: 1 point \(left out whole\), 1 subject cannot be held by WebVTT\n$/,
  );
  assert.equal(readFileSync(join(root, 'a.vtt'), 'utf8'), 'WEBVTT\n\n00:00:00.500 --> 00:00:01.000\nrun\n');
  await refused(root, ['convert', 'list.csv', 'a.vtt', '--lossy'], /^vmf: a\.vtt: already there; --force replaces$/m);
  const wide = await vmf(root, 'convert', 'list.csv', 'a.vtt', '--around', '1', '--force', '--json');
  assert.deepEqual(JSON.parse(wide.out), {
    to: 'webvtt',
    films: 1,
    moments: 2,
    labels: ['run', 'hop'],
    notes: ['1 row without length: points in time'],
    losses: [{ count: 1, what: 'subjects', moments: false }],
    files: ['a.vtt'],
  });
});

test('--videos finds the films: their names, lengths and rates go into the output; a folder of label files is read', async (t) => {
  const root = temporaryFolder(t);
  for (const name of ['a', 'b']) makeVideo(join(root, 'films', 'day 1', `${name}.mp4`));
  makeFile(join(root, 'list.csv'), 'path,label,start,end\nC:\\x\\a.mp4,run,0.5,1\nb.mp4,hop,1,\n');
  const out = await vmf(root, 'convert', 'list.csv', 'frames', '--to', 'deepethogram', '--videos', 'films');
  assert.equal(out.code, 0, out.err);
  const rows = readFileSync(join(root, 'frames', 'b_labels.csv'), 'utf8').split('\n');
  assert.deepEqual(
    [rows.length, rows[0], rows[12], rows[13], rows[24]],
    [26, ',background,run,hop', '11,-1,-1,-1', '12,0,-1,1', '23,0,-1,1'],
  );
  const back = await vmf(root, 'convert', 'frames', 'back.csv', '--videos', 'films');
  assert.equal(back.code, 0, back.err);
  const lines = readFileSync(join(root, 'back.csv'), 'utf8').split('\n');
  assert.match(lines[1] ?? '', /^films\/day 1\/a\.mp4,run,0\.5,1,/);
  assert.match(lines[2] ?? '', /^films\/day 1\/b\.mp4,hop,1,2,/);
});

test('what cannot be read, found or written is one line that says what to do', async (t) => {
  const root = temporaryFolder(t);
  makeFile(join(root, 'list.csv'), table);
  makeFile(join(root, 'grid_labels.csv'), ',background,run\n0,1,0\n');
  makeFile(join(root, 'odd.txt'), 'hello\n');
  makeFile(join(root, 'one.csv'), 'path,label,start,end\na.mp4,run,1,2\n');
  await refused(root, ['convert', 'none.csv', 'x.vtt'], /^vmf: none\.csv: no such file or folder$/m);
  await refused(
    root,
    ['convert', 'odd.txt', 'x.vtt'],
    /^vmf: odd\.txt: of no format that is known; it has the first line "hello"; say which with --from: csv, /m,
  );
  await refused(
    root,
    ['convert', 'list.csv', 'x'],
    /^vmf: x: the name does not say which format to write; expected --to with one of csv \(\.csv\)/m,
  );
  await refused(
    root,
    ['convert', 'list.csv', 'x', '--to', 'nothing'],
    /^vmf: --to nothing: no such format; expected one of csv/m,
  );
  await refused(
    root,
    ['convert', 'grid_labels.csv', 'x.vtt'],
    /^vmf: grid_labels\.csv: a table of frames without times; expected --fps/m,
  );
  await refused(
    root,
    ['convert', 'list.csv', 'x.csv', '--videos', root],
    /^vmf: list\.csv: 1 of 1 films not found: C:\\x\\a\.mp4; searched by name below/m,
  );
  await refused(root, ['convert', 'one.csv', 'odd.txt/x.csv'], /^vmf: odd\.txt: the folder could not be made: /m);
  await refused(root, ['convert', 'list.csv/x', 'x.csv'], /^vmf: list\.csv\/x: no such file or folder$/m);
  await refused(root, ['convert', 'list.csv', 'x.csv', '--fps', 'fast'], /Expected frames a second, such as 25/);
});

test('a gzipped BORIS project', async (t) => {
  const root = temporaryFolder(t);
  const observation = {
    type: 'MEDIA',
    file: { '1': ['a.mp4'] },
    events: [
      [1, '', 'run', '', ''],
      [2, '', 'run', '', ''],
    ],
  };
  const project = {
    project_format_version: '7.0',
    behaviors_conf: { '0': { code: 'run', type: 'State event' } },
    observations: { x: observation },
  };
  makeFile(join(root, 'p.boris.gz'), gzipSync(JSON.stringify(project)));
  const done = await vmf(root, 'convert', 'p.boris.gz', 'a.srt');
  assert.deepEqual([done.code, done.err], [0, '']);
  assert.equal(readFileSync(join(root, 'a.srt'), 'utf8'), '1\n00:00:01,000 --> 00:00:02,000\nrun\n');
});

test('a folder of label files: subjects are chosen over all of them; several films do not go into one file', async (t) => {
  const root = temporaryFolder(t);
  makeFile(join(root, 'vtt', 'a.vtt'), 'WEBVTT\n\n00:01.000 --> 00:02.000\n<v ann>run\n');
  makeFile(join(root, 'vtt', 'b.vtt'), 'WEBVTT\n\n00:01.000 --> 00:02.000\n<v bob>run\n');
  const ann = await vmf(root, 'convert', 'vtt', 'ann.csv', '--subject', 'ann');
  assert.deepEqual([ann.code, ann.err], [0, 'note: 1 moment of other subjects left out\n']);
  assert.equal(readFileSync(join(root, 'ann.csv'), 'utf8'), 'path,label,start,end,subject\na,run,1,2,ann\nb,,,,\n');
  await refused(
    root,
    ['convert', 'vtt', 'all.srt'],
    /^vmf: all\.srt: SRT is a file a film, and there are 2 films; expected a folder and --to srt$/m,
  );
  await refused(
    root,
    ['convert', 'vtt', 'x.csv', '--film', 'a.mp4'],
    /^vmf: --film names one film, and vtt holds label files of 2$/m,
  );
  makeFile(join(root, 'open.csv'), 'path,label,start,end\na.mp4,run,1,\n');
  await refused(
    root,
    ['convert', 'open.csv', 'x.vtt'],
    /1 moment without end \(left out whole\) .*; --videos FOLDER looks up where their films end$/m,
  );
});
