#!/usr/bin/env python3
"""
A state of train.py as weights of the project: `export.py STATE.pt OUT.safetensors --name vmf-0.1g`. float16; the classes are the
captured motions.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np

from network import LAYOUTS
from pictures import MEAN, STD
from state import stored

SOURCES = {
    'pictures': 'Tiny-ImageNet-200, a selection of ImageNet (pictures for non-commercial research and education)',
    'cmu': 'CMU Graphics Lab Motion Capture Database, mocap.cs.cmu.edu, NSF EIA-0196217 (free for research and commercial use)',
    'picture teacher': 'MobileNetV2 1.0 of ImageNet (Apache-2.0)',
    'video teacher': 'X3D-XS of Kinetics-400, PyTorchVideo (Apache-2.0)',
}


def tensors_of(state, head='motion'):
    """The averaged network with one of its heads as the classifier, by the project's names, float32."""
    average = {name: value.float() for name, value in state['average'].items() if not name.endswith('num_batches_tracked')}
    tensors = {name[len('net.'):]: value for name, value in average.items() if name.startswith('net.')}
    return {**tensors, 'head.fc2.weight': average[f'{head}.weight'], 'head.fc2.bias': average[f'{head}.bias']}


def metadata(layout, labels, name, frames, side, notes):
    config = {**LAYOUTS[layout], 'name': name, 'frames': frames, 'height': side, 'width': side, 'classes': len(labels)}
    preprocess = dict(frames=frames, height=side, width=side, resize='fit', shortSide=round(side * 8 / 7), startSec=0,
                      mean=MEAN, std=STD, flip=True, colour='ffmpeg-tagged-else-bt601')
    parts = dict(config=config, labels=labels, preprocess=preprocess, notes=notes)
    return {'format': 'video-mobile-former 1', **{key: json.dumps(value) for key, value in parts.items()}}


def write_safetensors(path, tensors, about, dtype=np.float16):
    """The format in full: length of the header, header, the tensors' bytes."""
    entries, at, blobs = {'__metadata__': about}, 0, []
    for name, tensor in tensors.items():
        blob = tensor.numpy().astype(dtype)
        if not np.isfinite(blob).all():
            raise SystemExit(f'{name} has values that {np.dtype(dtype).name} cannot hold')
        kind = {2: 'F16', 4: 'F32'}[blob.itemsize]
        entries[name] = dict(dtype=kind, shape=list(blob.shape), data_offsets=[at, at + blob.nbytes])
        at += blob.nbytes
        blobs.append(blob.tobytes())
    header = json.dumps(entries).encode()
    header += b' ' * (-len(header) % 8)
    Path(path).write_bytes(struct.pack('<Q', len(header)) + header + b''.join(blobs))
    return at


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('state', type=Path)
    p.add_argument('out', type=Path)
    p.add_argument('--name', default='vmf-0.1g', help='of the network, as `vmf train --model` knows it')
    p.add_argument('--frames', type=int, default=8)
    p.add_argument('--side', type=int, default=112)
    o = p.parse_args()
    state = stored(o.state)
    about = state['about']
    learnt = f'{state["seen"]} clips in {state["step"]} steps after {about["start"]}'
    notes = {'pretrained': learnt, 'motion': about['motion'], 'left out': about['without'], **SOURCES}
    metadata_of = metadata(state['layout'], state['motions'], o.name, o.frames, o.side, notes)
    size = write_safetensors(o.out, tensors_of(state), metadata_of)
    print(f'{o.out}: {size / 1e6:.1f} MB, {len(state["motions"])} motions, {state["seen"]} clips')


if __name__ == '__main__':
    main()
