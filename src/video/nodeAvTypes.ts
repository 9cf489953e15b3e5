/**
 * What this program uses of node-av 6.1.1, written by hand, because node-av is an optional dependency: without it there are no types to
 * import, and the build must not need them. FFmpeg's names and meanings; an error is a negative number. nodeAvTypes.test.ts holds this
 * file to the real module and to its own types, where it is installed. Types only: nodeAvLibrary.ts loads the module.
 */

export interface NodeAv extends NodeAvConstants {
  readonly Codec: CodecLookUp;
  readonly CodecContext: new () => CodecContext;
  readonly FFmpegError: { strerror(code: number): string };
  readonly Filter: { getByName(name: string): Filter | null };
  readonly FilterGraph: new () => FilterGraph;
  readonly FilterInOut: { createList(items: FilterPad[]): FilterInOut | null };
  readonly FormatContext: new () => FormatContext;
  readonly Frame: FrameMaker;
  readonly Log: { setLevel(level: number): void };
  readonly Packet: new () => Packet;
  readonly Rational: new (num: number, den: number) => Rational;
  avGetCodecName(codecId: number): string | null;
}

export interface NodeAvConstants {
  readonly AVCOL_PRI_BT709: number;
  readonly AVCOL_RANGE_MPEG: number;
  readonly AVCOL_SPC_BT709: number;
  readonly AVCOL_TRC_BT709: number;
  readonly AVERROR_EAGAIN: number;
  readonly AVERROR_EOF: number;
  readonly AVFMT_FLAG_BITEXACT: number;
  readonly AVFMT_GLOBALHEADER: number;
  readonly AVMEDIA_TYPE_AUDIO: number;
  readonly AVMEDIA_TYPE_VIDEO: number;
  readonly AVSEEK_FLAG_BACKWARD: number;
  readonly AV_BUFFERSRC_FLAG_KEEP_REF: number;
  readonly AV_CHANNEL_ORDER_NATIVE: number;
  readonly AV_CODEC_FLAG_BITEXACT: number;
  readonly AV_CODEC_FLAG_GLOBAL_HEADER: number;
  readonly AV_CODEC_ID_PCM_S16LE: number;
  readonly AV_DISPOSITION_ATTACHED_PIC: number;
  readonly AV_FRAME_FLAG_CORRUPT: number;
  readonly AV_LOG_QUIET: number;
  readonly AV_NOPTS_VALUE: bigint;
  readonly AV_PIX_FMT_YUV420P: number;
  readonly AV_PKT_DATA_DISPLAYMATRIX: number;
  readonly AV_PKT_FLAG_CORRUPT: number;
  readonly AV_PKT_FLAG_DISCARD: number;
  readonly AV_PKT_FLAG_KEY: number;
  readonly AV_SAMPLE_FMT_S16: number;
}

/** A fraction: of seconds for a time base, of frames a second for a rate. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** A compressed frame; times in ticks of its stream, AV_NOPTS_VALUE where unknown. */
export interface Packet extends Disposable {
  streamIndex: number;
  pts: bigint;
  dts: bigint;
  duration: bigint;
  data: Buffer | null;
  readonly size: number;
  readonly flags: number;
  alloc(): void;
  free(): void;
  unref(): void;
  clone(): Packet | null;
  rescaleTs(from: Rational, to: Rational): void;
}

/** A decoded frame: planes of rows, each row `linesize` bytes long. */
export interface Frame extends Disposable {
  colorRange: number;
  colorSpace: number;
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly pts: bigint;
  readonly decodeErrorFlags: number;
  readonly linesize: number[];
  readonly data: Buffer[] | null;
  alloc(): void;
  free(): void;
  unref(): void;
  hasFlags(flag: number): boolean;
}

interface FrameMaker {
  new (): Frame;
  fromVideoBuffer(planes: Buffer, properties: FrameProperties): Frame;
}

interface FrameProperties {
  width: number;
  height: number;
  format: number;
  timeBase?: Rational;
  pts?: bigint;
}

/** An encoder or decoder of FFmpeg's; opaque. */
export interface Codec {
  readonly name: string | null;
}

interface CodecLookUp {
  findDecoder(codecId: number): Codec | null;
  findEncoderByName(name: string): Codec | null;
}

/** A codec at work. */
export interface CodecContext {
  width: number;
  height: number;
  pixelFormat: number;
  timeBase: Rational;
  pktTimebase: Rational;
  framerate: Rational;
  sampleAspectRatio: Rational;
  colorRange: number;
  colorSpace: number;
  colorPrimaries: number;
  colorTrc: number;
  threadCount: number;
  bitRate: bigint;
  maxBFrames: number;
  gopSize: number;
  allocContext3(codec?: Codec | null): void;
  freeContext(): void;
  setFlags(flag: number): void;
  setOption(name: string, value: string): number;
  open2Sync(codec?: Codec | null): number;
  parametersFromContext(parameters: CodecParameters): number;
  parametersToContext(parameters: CodecParameters): number;
  /** null ends the frames; so with packets. */
  sendFrameSync(frame: Frame | null): number;
  receivePacketSync(packet: Packet): number;
  sendPacketSync(packet: Packet | null): number;
  receiveFrameSync(frame: Frame): number;
  flushBuffers(): void;
}

/** Codec parameters from the container. */
export interface CodecParameters {
  codecType: number;
  codecId: number;
  format: number;
  sampleRate: number;
  channelLayout: { order: number; nbChannels: number; mask: bigint };
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Rational;
  getCodedSideData(type: number): Buffer | null;
  addCodedSideData(type: number, data: Buffer): number;
}

/** A container, read or written. */
export interface FormatContext {
  readonly streams: Stream[];
  /** In microseconds; of the first stream to start. */
  readonly startTime: bigint;
  /** In microseconds. */
  readonly duration: bigint;
  readonly iformat: { readonly name: string | null } | null;
  readonly oformat: { hasFlags(flag: number): boolean } | null;
  allocContext(): void;
  allocOutputContext2(format: null, formatName: string | null, path: string): number;
  freeContext(): void;
  setFlags(flag: number): void;
  setOption(name: string, value: string): number;
  newStream(codec?: Codec | null): Stream;
  openOutputSync(): number;
  writeHeaderSync(): number;
  interleavedWriteFrameSync(packet: Packet | null): number;
  writeTrailerSync(): number;
  closeOutputSync(): void;
  openInputSync(url: string): number;
  closeInputSync(): void;
  findStreamInfoSync(): number;
  readFrameSync(packet: Packet): number;
  seekFrameSync(streamIndex: number, timestamp: bigint, flags?: number): number;
}

export interface Stream {
  timeBase: Rational;
  avgFrameRate: Rational;
  sampleAspectRatio: Rational;
  readonly index: number;
  readonly codecpar: CodecParameters;
  readonly rFrameRate: Rational;
  /** In ticks of the time base. */
  readonly startTime: bigint;
  readonly duration: bigint;
  readonly nbFrames: bigint;
  hasDisposition(flag: number): boolean;
}

/** A kind of filter; opaque. */
export interface Filter {
  readonly name: string | null;
}

export interface FilterGraph {
  nbThreads: number;
  alloc(): void;
  free(): void;
  allocFilter(filter: Filter, name: string): FilterContext | null;
  createFilter(filter: Filter, name: string): FilterContext | null;
  parsePtr(chain: string, inputs?: FilterInOut | null, outputs?: FilterInOut | null): number;
  configSync(): number;
}

/** A filter in a graph; here its two ends only. */
export interface FilterContext {
  init(options: null): number;
  buffersrcParametersSet(parameters: SourceParameters): number;
  buffersrcAddFrameSync(frame: Frame | null, flags?: number): number;
  buffersinkGetFrameSync(frame: Frame): number;
}

export interface SourceParameters {
  width?: number;
  height?: number;
  format?: number;
  timeBase?: Rational;
  sampleAspectRatio?: Rational;
  colorRange?: number;
  colorSpace?: number;
}

interface FilterPad {
  name: string;
  filterCtx: FilterContext;
  padIdx: number;
}

/** A list of a graph's open ends; opaque. */
export interface FilterInOut {
  readonly name: string | null;
}
