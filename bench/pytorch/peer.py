#!/usr/bin/env python3
"""The PyTorch side of a race: loads a network and a batch from a folder, then does one run for every line it is sent.

    python3 peer.py FOLDER inference|training|conv3d|file THREADS

FOLDER holds network.json (configuration; names and shapes of parameters and statistics) and raw little-endian float32 files:
parameters, statistics, clips, and for training targets. `file` takes a video instead of clips (see video.py). Answers are JSON
lines: first what it is, then one a run, with the milliseconds it took and what it computed (logits, or the loss of that step).
"""
import json
import os
import sys
import time
from math import prod
from pathlib import Path

# The fastest settings known: one OpenBLAS thread (PyTorch has its own), threads that wait actively, and an allocator that keeps
# what it was given instead of returning every map to the system.
SETTINGS = {
    'OMP_WAIT_POLICY': 'ACTIVE',
    'OPENBLAS_NUM_THREADS': '1',
    'MALLOC_MMAP_THRESHOLD_': '100000000000',
    'MALLOC_TRIM_THRESHOLD_': '100000000000',
    'MALLOC_TOP_PAD_': '268435456',
}


def settle():
    """Starts this process anew with the settings, which are read only at the start of a process."""
    wanted = dict(SETTINGS)
    if 'avx512bw' in Path('/proc/cpuinfo').read_text():
        wanted['ATEN_CPU_CAPABILITY'] = 'avx512'
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def blas_name():
    """The BLAS that this process has loaded."""
    maps = Path('/proc/self/maps').read_text()
    return 'openblas' if 'openblas' in maps else 'mkl' if 'libmkl' in maps else 'reference'


def peak_mb():
    """The most memory this process ever held, in megabytes."""
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith('VmHWM'))


def read_floats(torch, path, shape):
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.float32).reshape(shape)


def read_tensors(torch, folder, listed, kind):
    """The flat vector of parameters or statistics, cut into tensors by name."""
    flat = read_floats(torch, folder / kind, [-1])
    parts = flat.split([prod(item['shape']) for item in listed])
    return {item['name']: part.clone().view(item['shape']) for item, part in zip(listed, parts)}


def inference(torch, config, tensors, clips):
    """One clip at a time by the fastest way there is, and its name."""
    from network import Network, fastest
    fast, way = fastest(Network(config, tensors, False), clips)
    return lambda: {'logits': fast(clips).flatten().tolist()}, way


def conv3d(config, tensors, clips):
    """The network as one would write it first."""
    from network3d import from_tensors
    network = from_tensors(config, tensors)
    frames, (_, *image) = config['frames'], clips.shape
    turned = clips.view(frames, -1, *image).permute(1, 2, 0, 3, 4).contiguous()                # [B, 3, T, S, S]
    return lambda: {'logits': network(turned).flatten().tolist()}, 'Conv3d'


def training(torch, described, parameters, statistics, clips, targets):
    """A whole training step."""
    from network import Network
    network = Network(described['config'], {**parameters, **statistics}, True)
    decaying = {item['name'] for item in described['parameters'] if item['decay']}
    groups = [[parameters[name] for name in parameters if (name in decaying) == decays] for decays in (True, False)]
    optimiser = torch.optim.AdamW(
        [{'params': groups[0], 'weight_decay': described['weightDecay']}, {'params': groups[1], 'weight_decay': 0.0}],
        described['rate'], foreach=True)

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(clips), targets)
        loss.backward()
        optimiser.step()
        return {'loss': loss.item()}
    return step, 'eager, oneDNN'


def load(torch, folder, mode):
    """What one run is, and how it is done."""
    described = json.loads((folder / 'network.json').read_text())
    config = described['config']
    parameters = read_tensors(torch, folder, described['parameters'], 'parameters')
    statistics = read_tensors(torch, folder, described['statistics'], 'statistics')
    for tensor in parameters.values():
        tensor.requires_grad_(mode == 'training')
    tensors = {**parameters, **statistics}
    if mode == 'file':
        from video import recogniser
        return recogniser(torch, config, tensors, described['preprocess'], described['video'])
    clips = read_floats(torch, folder / 'clips', [-1, 3, config['size'], config['size']])
    if mode == 'inference':
        return inference(torch, config, tensors, clips)
    if mode == 'conv3d':
        return conv3d(config, tensors, clips)
    targets = read_floats(torch, folder / 'targets', [-1, config['classes']])
    return training(torch, described, parameters, statistics, clips, targets)


def main():
    settle()
    sys.dont_write_bytecode = True
    folder, mode, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    import torch
    torch.set_num_threads(threads)
    with torch.set_grad_enabled(mode == 'training'):
        run, way = load(torch, folder, mode)
        about = {'torch': torch.__version__, 'python': sys.version.split()[0], 'blas': blas_name(), 'executable': sys.executable,
                 'way': way}
        print(json.dumps(about), flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            result = run()
            milliseconds = (time.perf_counter() - start) * 1e3
            print(json.dumps({'ms': milliseconds, 'peakMb': peak_mb(), **result}), flush=True)


if __name__ == '__main__':
    main()
