/** An FFmpeg filter graph from decoded frames to packed RGB, rebuilt when size, format or colour tags change in mid-file. */
import { VideoError } from '../errors.js';
import { checkCode } from './nodeAvLibrary.js';
import type { Filter, FilterContext, FilterGraph, Frame, NodeAv, SourceParameters } from './nodeAvTypes.js';

interface Graph {
  readonly key: string;
  readonly graph: FilterGraph;
  readonly source: FilterContext;
  readonly sink: FilterContext;
}

export class FrameFilter {
  private current: Graph | undefined;

  /** `chain`: filters that end in rgb24 frames of one size. */
  constructor(
    private readonly av: NodeAv,
    private readonly path: string,
    private readonly chain: string,
  ) {}

  /** Writes the filtered frame, [height, width, 3], into `rgb`. */
  apply(frame: Frame, width: number, height: number, rgb: Uint8Array): void {
    const { source, sink } = this.graphFor(frame);
    this.check(source.buffersrcAddFrameSync(frame, this.av.AV_BUFFERSRC_FLAG_KEEP_REF), 'filtering a frame');
    const out = new this.av.Frame();
    out.alloc();
    try {
      this.check(sink.buffersinkGetFrameSync(out), 'filtering a frame');
      if (out.width !== width || out.height !== height) {
        throw new VideoError(`expected frames of ${width}x${height}, the filter gave ${out.width}x${out.height}`, {
          path: this.path,
        });
      }
      copyRows(out, width * 3, height, rgb);
    } finally {
      out.free();
    }
  }

  close(): void {
    this.current?.graph.free();
    this.current = undefined;
  }

  private graphFor(frame: Frame): Graph {
    const key = [frame.width, frame.height, frame.format, frame.colorSpace, frame.colorRange].join(' ');
    if (this.current?.key === key) return this.current;
    this.close();
    this.current = this.build(frame, key);
    return this.current;
  }

  private build(frame: Frame, key: string): Graph {
    const { av } = this;
    const graph = new av.FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    try {
      const source = graph.allocFilter(this.filter('buffer'), 'in');
      const sink = graph.createFilter(this.filter('buffersink'), 'out');
      if (source === null || sink === null) throw new VideoError('FFmpeg could not make a filter graph', { path: this.path });
      this.check(source.buffersrcParametersSet(sourceParameters(frame)), 'setting up the filter');
      this.check(source.init(null), 'setting up the filter');
      const outputs = av.FilterInOut.createList([{ name: 'in', filterCtx: source, padIdx: 0 }]);
      const inputs = av.FilterInOut.createList([{ name: 'out', filterCtx: sink, padIdx: 0 }]);
      this.check(graph.parsePtr(this.chain, inputs, outputs), 'setting up the filter');
      this.check(graph.configSync(), 'setting up the filter');
      return { key, graph, source, sink };
    } catch (error) {
      graph.free();
      throw error;
    }
  }

  private filter(name: string): Filter {
    const filter = this.av.Filter.getByName(name);
    if (filter === null) throw new VideoError(`this FFmpeg has no "${name}" filter`, { path: this.path });
    return filter;
  }

  private check(code: number, step: string): void {
    checkCode(this.av, code, this.path, step);
  }
}

/** Time base is arbitrary: one frame in, one frame out. */
function sourceParameters(frame: Frame): SourceParameters {
  return {
    width: frame.width,
    height: frame.height,
    format: frame.format,
    timeBase: { num: 1, den: 1000000 },
    sampleAspectRatio: { num: 1, den: 1 },
    colorRange: frame.colorRange,
    colorSpace: frame.colorSpace,
  };
}

function copyRows(frame: Frame, rowBytes: number, rows: number, to: Uint8Array): void {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0] ?? 0;
  if (plane === undefined || stride < rowBytes) throw new VideoError('a filtered frame holds no pixels');
  for (let row = 0; row < rows; row++) to.set(plane.subarray(row * stride, row * stride + rowBytes), row * rowBytes);
}
