#!/usr/bin/env python3
"""
Lays out what a rented GPU needs as .gpu/1, .gpu/2, ... of the repository it is called in (git ignores them); each travels beside the
working tree within the limit. The last holds this program and --own files: what changes comes last. README.md says what to run then.
"""
import argparse
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def wanted(shared, own):
    """-> (file, its place below the target), in the order in which the files are packed."""
    pictures, data = shared / 'data/tiny-imagenet', shared / 'data'
    names = [pictures / 'train' / f'{c["wnid"]}.jpg' for c in json.loads((pictures / 'labels.json').read_text())['classes']]
    names += [pictures / 'labels.json', *sorted((pictures / 'val').glob('*.jpg'))]
    names += [shared / 'weights' / name / 'teacher.onnx' for name in ('mobilenet_v2_1.0_224', 'x3d_xs_kinetics400')]
    folders = [data / folder for folder in ('mocap', 'mocap2/free', 'mocap2/research')]
    names += [folder / name for folder in folders for name in ('index.json', 'joints.i16')]
    names += sorted(path for path in (data / 'leeds-sports').iterdir() if path.suffix in ('.jpg', '.json', '.i16'))
    more = [('pretraining', path) for path in sorted(HERE.glob('*.py'))] + [('own', path) for path in own]
    return [(name, name.relative_to(shared)) for name in names] + [(path, Path(folder) / path.name) for folder, path in more]


def tracked_bytes(root):
    listed = subprocess.run(['git', 'ls-files', '-z'], cwd=root, capture_output=True, check=True).stdout.decode().split('\0')
    return sum((root / name).stat().st_size for name in listed if name and (root / name).is_file())


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--shared', type=Path, required=True, help='folder with data/ and weights/')
    p.add_argument('--own', type=Path, nargs='*', default=[], help='weights to go on from, programs')
    p.add_argument('--limit', type=float, default=63, help='MiB that may travel at once, the working tree included')
    o = p.parse_args()
    root = Path.cwd()
    room = o.limit * 2 ** 20 - tracked_bytes(root)
    target = root / '.gpu'
    shutil.rmtree(target, ignore_errors=True)
    piece, held, sizes = 1, 0, []
    for source, place in wanted(o.shared, o.own):
        size = source.stat().st_size
        if size > room:
            raise SystemExit(f'{source}: {size / 2 ** 20:.1f} MiB are more than the {room / 2 ** 20:.1f} MiB that fit')
        if held + size > room:
            sizes.append(held)
            piece, held = piece + 1, 0
        out = target / str(piece) / place
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, out)
        held += size
    for number, size in enumerate([*sizes, held], 1):
        print(f'.gpu/{number}: {size / 2 ** 20:.1f} MiB')


if __name__ == '__main__':
    main()
