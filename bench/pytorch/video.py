"""A video file to logits with PyAV and PyTorch, as fast as we know how to make it: the opponent of the race from file to label.

Which frames: the centres of T equal segments. Three ways of getting at them are tried and the fastest is raced: decoding everything;
the same but telling the decoder to leave out frames that nothing refers to; seeking to the key frame before each. One swscale
context scales and converts to RGB in one pass; cutting and normalising are one pass over all frames in PyTorch.
"""
import time

import av
import numpy
from av.video.reformatter import VideoReformatter

from network import Network, fastest


def open_video(path, threads):
    container = av.open(path)
    stream = container.streams.video[0]
    stream.codec_context.thread_count = threads
    stream.thread_type = 'SLICE' if threads == 1 else 'AUTO'
    return container, stream


def wanted_times(stream, frames):
    """Time stamps in the stream's unit."""
    return [(t + 0.5) / frames * stream.duration + (stream.start_time or 0) for t in range(frames)]


def by_decoding(path, frames, threads):
    """Everything is decoded, and the last frame at or before each time handed on."""
    container, stream = open_video(path, threads)
    with container:
        times, last, found = wanted_times(stream, frames), None, []
        for frame in container.decode(stream):
            while len(found) < frames and last is not None and frame.pts > times[len(found)]:
                found.append(last)
            if len(found) == frames:
                break
            last = frame
        return found + [last] * (frames - len(found))


def by_skipping(path, frames, threads):
    """Frames that are neither wanted nor referred to are not decoded."""
    container, stream = open_video(path, threads)
    with container:
        packets = [packet for packet in container.demux(stream)]
        stamps = sorted(packet.pts for packet in packets if packet.pts is not None)
        shown = numpy.searchsorted(stamps, wanted_times(stream, frames), side='right') - 1
        wanted = [stamps[i] for i in shown]
        context, needed, found = stream.codec_context, set(wanted), {}
        for packet in packets:
            context.skip_frame = 'DEFAULT' if packet.pts is None or packet.pts in needed else 'NONREF'
            for frame in packet.decode():
                if frame.pts in needed:
                    found[frame.pts] = frame
            if len(found) == len(needed):
                break
        return [found[pts] for pts in wanted]


def by_seeking(path, frames, threads):
    """From the key frame before each time."""
    container, stream = open_video(path, threads)
    with container:
        found = []
        for wanted in wanted_times(stream, frames):
            container.seek(int(wanted), stream=stream)
            last = None
            for frame in container.decode(stream):
                if last is not None and frame.pts > wanted:
                    break
                last = frame
            found.append(last)
        return found


WAYS = {'decoding all': by_decoding, 'decoding, unused B-frames skipped': by_skipping, 'seeking': by_seeking}


def recogniser(torch, config, tensors, preprocess, path):
    """A function from nothing to the logits of the file, and how it does it."""
    frames, size, short = config['frames'], config['size'], preprocess['shortSide']
    mean, std = (torch.tensor(preprocess[part]).view(1, 3, 1, 1) * 255 for part in ('mean', 'std'))
    shape = (frames, 3, size, size)
    network, way = fastest(Network(config, tensors, False), torch.randn(shape).contiguous(memory_format=torch.channels_last))
    scaler = VideoReformatter()
    threads = torch.get_num_threads()

    def clip(read):
        images = []
        for frame in read(path, frames, threads):
            scale = short / min(frame.width, frame.height)
            width, height = round(frame.width * scale), round(frame.height * scale)
            rgb = scaler.reformat(frame, width, height, 'rgb24', 'ITU709', interpolation='BICUBIC').to_ndarray()
            x, y = (width - size) // 2, (height - size) // 2
            images.append(rgb[y:y + size, x:x + size])
        pixels = torch.from_numpy(numpy.stack(images)).permute(0, 3, 1, 2)                     # [T, 3, S, S], channels last
        return pixels.float().sub_(mean).div_(std)

    times = {name: [] for name in WAYS}
    for _ in range(4):
        for name, read in WAYS.items():
            start = time.perf_counter()
            clip(read)
            times[name].append(time.perf_counter() - start)
    best = min(times, key=lambda name: min(times[name]))
    return lambda: {'logits': network(clip(WAYS[best])).flatten().tolist()}, f'{best}; {way}'
