/**
 * Checks a file before FFmpeg opens it: present, regular, not empty, no playlist that opens other files. Explains why FFmpeg
 * could not open it.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemCode, VideoError } from '../errors.js';

const headBytes = 65536;

/**
 * Containers that FFmpeg may open here: files that hold audio or video themselves. Left out: playlists and scripts that name other
 * files (HLS, DASH, concat, IMF, SDP), devices, still images, subtitles and plain text. Audio is in, to be called by its name.
 */
export const containerWhitelist = `
  mov mp4 m4a 3gp 3g2 mj2 matroska webm avi flv live_flv kux asf asf_o wtv ogg mpeg mpegts mpegtsraw mpegvideo m4v h261 h263 h264 hevc
  vvc evc vc1 vc1test av1 obu ivf cavsvideo avs2 avs3 dirac dnxhd mjpeg mjpeg_2000 smjpeg mpjpeg ingenient yuv4mpegpipe gif apng webp_anim
  jpegxl_anim mxf gxf lxf nut dv rm ivr swf nsv nuv dhav pva ty xmv roq smk bink flic film_cpk amv mlv cine ser r3d moflex mods thp vivo
  pmp iv8 wav w64 mp3 flac aac ac3 eac3 aiff amr ape au caf dts mlp truehd tta wv voc`
  .trim()
  .split(/\s+/)
  .join(',');

/** The path for FFmpeg: absolute and marked as a file, so that no name reads as an option or a protocol. */
export const fileUrl = (path: string): string => `file:${resolve(path)}`;

/** Throws VideoError unless `path` is a readable, non-empty regular file that is not a list of other files. */
export function checkInputFile(path: string): void {
  if (path === '') throw new VideoError('a video path is empty; give the path of a file');
  if (path.includes('\0')) throw new VideoError(`${JSON.stringify(path)}: a path holds no zero bytes`);
  const stats = statOf(path);
  if (stats.isDirectory()) throw new VideoError('is a folder, not a video file', { path });
  if (!stats.isFile()) throw new VideoError('is not a regular file', { path });
  if (stats.size === 0) throw new VideoError('is empty (0 bytes)', { path, code: 'empty' });
  const list = listKind(readHead(path));
  if (list !== undefined) throw new VideoError(`is ${list}, which names other files; give the video file itself`, { path });
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
    if (isUrl) throw new VideoError('is an address, not a file; download it first', { path });
    throw notReadable(path, error);
  }
}

function notReadable(path: string, cause: unknown): VideoError {
  const code = systemCode(cause) ?? '';
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new VideoError(fileReasons[code] ?? `cannot be read (${code || String(cause)})`, {
    ...{ path, cause },
    ...(missing && { code: 'missing' }),
  });
}

const fileReasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file (a part of the path is not a folder)',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'is a link that leads in a circle',
};

function readHead(path: string): Buffer {
  return withFile(path, (file) => readAt(file, 0, headBytes));
}

function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return use(file);
  } catch (error) {
    throw notReadable(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}

/** Playlists; FFmpeg's container whitelist is a second check. */
function listKind(head: Buffer): string | undefined {
  if (head.includes(0)) return undefined;
  const text = head
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (/^#EXTM3U/i.test(text)) return 'a playlist (M3U, HLS)';
  if (/^ffconcat version/i.test(text)) return 'an ffconcat script';
  if (/^\[(playlist|reference)\]/i.test(text)) return 'a playlist';
  if (/^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<(MPD|smil|asx|CompositionPlaylist|SmoothStreamingMedia|playlist)\b/i.test(text))
    return 'a playlist (XML)';
  if (/^v=0\r?\n[\s\S]*^m=/m.test(text)) return 'a session description (SDP)';
  if (/^rtsp:|^https?:/i.test(text)) return 'an address';
  return undefined;
}

/** Readable reason why FFmpeg could not open a file, or FFmpeg's own. */
export function whyNotOpened(path: string, ffmpegReason: string): string {
  const head = readHead(path);
  const kind = magicKind(head);
  if (kind !== undefined) return `is ${kind}, not a video`;
  if (head.subarray(4, 8).toString('latin1') === 'ftyp') {
    const problem = withFile(path, mp4Problem);
    if (problem !== undefined) return problem;
  }
  return `is not a video that FFmpeg can open (${ffmpegReason})`;
}

function magicKind(head: Buffer): string | undefined {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0xff, 0xd8, 0xff)) return 'a still image (JPEG)';
  if (starts(0x89, 0x50, 0x4e, 0x47)) return 'a still image (PNG)';
  if (head.subarray(0, 4).toString('latin1') === 'RIFF' && head.subarray(8, 12).toString('latin1') === 'WEBP')
    return 'an image (WebP)';
  if (starts(0x50, 0x4b, 0x03, 0x04)) return 'a ZIP archive';
  if (starts(0x25, 0x50, 0x44, 0x46)) return 'a PDF document';
  if (head.every((byte) => byte === 0)) return 'full of zero bytes';
  return head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127)) && isText(head)
    ? 'plain text'
    : undefined;
}

function isText(head: Buffer): boolean {
  // The end of the head may split a character.
  return !head.toString('utf8').slice(0, -1).includes('\ufffd');
}

/** An MP4 without its index, the most common broken video: an unfinished recording or download. */
function mp4Problem(file: number): string | undefined {
  const size = fstatSync(file).size;
  let position = 0;
  let hasIndex = false;
  while (position + 8 <= size) {
    const header = readAt(file, position, 16);
    if (header.length < 8) break;
    const type = header.toString('latin1', 4, 8);
    const short = header.readUInt32BE(0);
    const length =
      short === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : short === 0 ? size - position : short;
    if (type === 'moov') hasIndex = true;
    if (length < 8) break;
    if (position + length > size) {
      return hasIndex
        ? undefined
        : `is cut off: its "${printable(type)}" part should end at byte ${position + length}, the file ends at ${size}`;
    }
    position += length;
  }
  return hasIndex ? undefined : 'is an MP4 without an index (moov): the recording or download did not finish';
}

const printable = (text: string): string => text.replace(/[^ -~]/g, '?');
