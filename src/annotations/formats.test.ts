import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Annotations } from './annotations.js';
import { formatOf, formatsFor, parseAnnotations, writeAnnotations, writerFor, writers } from './formats.js';
import { fileOfText } from './text.js';

const moments = [
  { startSec: 902, endSec: 905, labels: ['run'], subject: '1', score: 0.5, where: 'x' },
  { startSec: 903, endSec: 904, labels: ['hop, or not'], where: 'x' },
];
const given: Annotations = { films: [{ film: 'a.mp4', durationSec: 1000, fps: 25, moments, where: 'x' }], notes: [] };

for (const writer of writers) {
  test(`what is written as ${writer.name} is found to be ${writer.name}, and by no other reader`, () => {
    const [first] = writeAnnotations(writer, given, { fps: 25 }).files;
    assert.ok(first && typeof first.content === 'string');
    for (const text of [first.content, `\uFEFF${first.content}`, first.content.replaceAll(/\r?\n/g, '\r\n')]) {
      const file = fileOfText(`out${writer.ending ?? ''}`, text);
      assert.deepEqual(
        formatsFor(file).map(({ name }) => name),
        [writer.name],
      );
      const read = parseAnnotations(file, { fps: 25, film: 'a.mp4' });
      assert.ok(read.films[0] && read.films[0].moments.length >= 2, 'its moments are read');
    }
  });
}

test('the ending of a file chooses its format, the longest first; one that several share chooses none', () => {
  assert.deepEqual(
    ['x/a.csv', 'a_labels.csv', 'A.VTT', 'a.srt', 'a.eaf', 'a.txt'].map((path) => writerFor(path)?.name),
    [...['csv', 'deepethogram', 'webvtt', 'srt', 'elan', undefined]],
  );
});

test('what is no annotation is refused, with what was seen', () => {
  const seen = (text: string, expected: RegExp) => assert.throws(() => formatOf(fileOfText('x', text)), { message: expected });
  seen('', /^x: of no format that is known; it has no content; say which with --from: csv/);
  seen('[1, 2]', /it has a JSON list of 2/);
  seen('{"a": 1, "b": 2}', /it has JSON with a, b;/);
  seen('a;b\n1;2\n', /it has a first line with the cells a, b;/);
  seen('{"database": {"a": [\n', /^x: not JSON at line 2, column 1: Unexpected end/);
  seen('hello world\n', /it has the first line "hello world";/);
});
