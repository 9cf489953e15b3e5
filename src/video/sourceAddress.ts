/**
 * Parses frame sources (file, `camera:0`, `rtsp://...`, `http(s)://...`, `-`) into FFmpeg options: protocols and containers are
 * whitelisted, and no part of a name becomes an option.
 */
import { platform } from 'node:os';
import { ConfigError, VideoError } from '../errors.js';
import { checkInputFile, containerWhitelist, fileUrl } from './inputFile.js';

export interface SourceAddress {
  readonly kind: 'file' | 'camera' | 'network' | 'stdin';
  /** For display: without the password of the address. */
  readonly shown: string;
  /** Whether frames come at their own pace and cannot wait. */
  readonly live: boolean;
  /** FFmpeg's input options and input. */
  readonly input: readonly string[];
}

/** Time-out of a silent source. */
const silenceMicros = String(15e6);

/** The decoder holds no frame back. No `nobuffer`: it would lose the packets read for probing. */
const atOnce = ['-flags', 'low_delay'];

/** Throws ConfigError for an address that is not understood, VideoError for a file that is no video. */
export function sourceAddress(source: string): SourceAddress {
  if (source === '-') return stdinAddress();
  const camera = /^camera:(\d{1,2})$/.exec(source)?.[1] ?? /^\/dev\/video(\d{1,2})$/.exec(source)?.[1];
  if (camera !== undefined) return cameraAddress(source, camera);
  if (/^camera:/i.test(source)) throw new ConfigError(`${source}: expected camera:0, camera:1 and so on`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) return networkAddress(source);
  checkInputFile(source);
  const only = ['-protocol_whitelist', 'file', '-format_whitelist', containerWhitelist];
  return { kind: 'file', shown: source, live: false, input: [...only, '-i', fileUrl(source)] };
}

function stdinAddress(): SourceAddress {
  const only = ['-protocol_whitelist', 'pipe', '-format_whitelist', containerWhitelist];
  return { kind: 'stdin', shown: 'standard input', live: false, input: [...only, '-i', 'pipe:0'] };
}

function cameraAddress(shown: string, number: string): SourceAddress {
  const system = platform();
  if (system === 'linux')
    return { kind: 'camera', shown, live: true, input: [...atOnce, '-f', 'v4l2', '-i', `/dev/video${number}`] };
  if (system === 'darwin') return { kind: 'camera', shown, live: true, input: [...atOnce, '-f', 'avfoundation', '-i', number] };
  throw new VideoError(
    `${shown}: cameras are read on Linux and macOS; elsewhere let a program serve the camera as rtsp:// or http://`,
  );
}

const protocols: Readonly<
  Record<string, { readonly allowed: string; readonly formats: string; readonly options: readonly string[] }>
> = {
  rtsp: { allowed: 'rtsp,rtp,udp,tcp', formats: 'rtsp', options: ['-rtsp_transport', 'tcp', '-timeout', silenceMicros] },
  rtsps: { allowed: 'rtsps,rtsp,rtp,tls,tcp', formats: 'rtsp', options: ['-rtsp_transport', 'tcp', '-timeout', silenceMicros] },
  http: { allowed: 'http,https,tls,tcp', formats: containerWhitelist, options: ['-rw_timeout', silenceMicros] },
  https: { allowed: 'https,tls,tcp', formats: containerWhitelist, options: ['-rw_timeout', silenceMicros] },
};

function networkAddress(source: string): SourceAddress {
  const url = parsedUrl(source);
  const scheme = url.protocol.slice(0, -1);
  const protocol = Object.hasOwn(protocols, scheme) ? protocols[scheme] : undefined;
  if (!protocol) throw new ConfigError(`${withoutPassword(url)}: ${scheme}:// is not read; use rtsp, rtsps, http or https`);
  const only = ['-protocol_whitelist', protocol.allowed, '-format_whitelist', protocol.formats];
  const format = protocol.formats === 'rtsp' ? ['-f', 'rtsp'] : [];
  const input = [...atOnce, ...only, ...protocol.options, ...format, '-i', source];
  return { kind: 'network', shown: withoutPassword(url), live: true, input };
}

function parsedUrl(source: string): URL {
  try {
    return new URL(source);
  } catch {
    throw new ConfigError(`${source.replace(/\/\/[^@/]*@/, '//')}: is no address that can be read`);
  }
}

function withoutPassword(url: URL): string {
  const shown = new URL(url);
  shown.password = '';
  shown.username = '';
  return shown.href;
}
