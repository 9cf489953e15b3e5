import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { sourceAddress } from './sourceAddress.js';

test('addresses: what is live, and which protocols FFmpeg may use for it', () => {
  const after = (source: string, option: string) => {
    const { input } = sourceAddress(source);
    return input[input.indexOf(option) + 1];
  };
  assert.equal(sourceAddress('rtsp://cam/1').live, true);
  assert.equal(after('rtsp://cam/1', '-format_whitelist'), 'rtsp');
  assert.doesNotMatch(after('http://cam/1', '-protocol_whitelist') ?? '', /file|pipe|concat/);
  assert.doesNotMatch(after('https://cam/1', '-format_whitelist') ?? '', /hls|concat|dash/);
  assert.equal(sourceAddress('-').live, false);
  assert.equal(after('-', '-protocol_whitelist'), 'pipe');
});

test('an address is shown without its password', () => {
  assert.equal(sourceAddress('rtsp://me:secret@cam/1').shown, 'rtsp://cam/1');
  assert.throws(
    () => sourceAddress('rtmp://me:secret@cam/1'),
    (error: Error) => /rtmp:\/\/ is not read/.test(error.message) && !/secret/.test(error.message),
  );
});

test('what FFmpeg would follow elsewhere is refused', (t) => {
  for (const source of ['concat:a|b', 'file:///etc/passwd', 'rtmp://x/y', 'camera:zero', '', '-i', '--help', 'no-such.mp4']) {
    assert.throws(() => sourceAddress(source), /^(VideoError|ConfigError): /, source);
  }
  const list = join(temporaryFolder(t), 'list.mp4');
  writeFileSync(list, '#EXTM3U\n#EXTINF:1,\nhttp://elsewhere/x.ts\n');
  assert.throws(() => sourceAddress(list), /is a playlist/);
});

test('a file is given to FFmpeg as nothing but a file, whatever its name', (t) => {
  const path = join(temporaryFolder(t), '-i.mp4');
  writeFileSync(path, Buffer.alloc(10, 1));
  assert.deepEqual(sourceAddress(path).input.slice(-2), ['-i', `file:${resolve(path)}`]);
});

test('cameras by number', (t) => {
  if (platform() !== 'linux') return t.skip('the device is named otherwise here');
  assert.deepEqual(sourceAddress('camera:1').input.slice(-4), ['-f', 'v4l2', '-i', '/dev/video1']);
  assert.deepEqual(sourceAddress('/dev/video1').input, sourceAddress('camera:1').input);
});
