"""Pictures: mosaics of small labelled tiles as one array of bytes, and what the picture teacher says of each."""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLASSES = 1000                     # of ILSVRC-2012; the teacher's first output is the background


def tiles(path, size=64):
    """A mosaic -> [n, 3, size, size] bytes, RGB, rows first."""
    import cv2
    mosaic = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    rows, columns = mosaic.shape[0] // size, mosaic.shape[1] // size
    cut = mosaic.reshape(rows, size, columns, size, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(cut.reshape(-1, 3, size, size))


class Pictures:
    """Tiny-ImageNet: tiles with their classes among the thousand. `cache`: a folder for the decoded bytes."""

    def __init__(self, root, cache=None):
        about = json.loads((root / 'labels.json').read_text())
        self.kept = torch.tensor(sorted(c['ilsvrc'] for c in about['classes']))
        train = [root / 'train' / f'{c["wnid"]}.jpg' for c in about['classes']]
        self.train = stored(cache, 'train', lambda: np.concatenate(decoded(train)))
        self.val = stored(cache, 'val', lambda: np.concatenate(decoded(sorted((root / 'val').glob('*.jpg')))))
        each = len(self.train) // len(train)
        self.label = torch.tensor([c['ilsvrc'] for c in about['classes'] for _ in range(each)])
        self.val_label = torch.tensor([about['classes'][k]['ilsvrc'] for k in about['val']])

    def to(self, device):
        if device.type != 'cpu':
            self.train, self.val = self.train.to(device), self.val.to(device)
        self.label, self.val_label, self.kept = (t.to(device) for t in (self.label, self.val_label, self.kept))
        return self


class Photos:
    """Leeds Sports: photographs of people with up to 14 joints marked, as 22 in -1..1 of the tile and which of them are known."""

    NAMES = {'right hip': 18, 'right knee': 19, 'right ankle': 20, 'left hip': 14, 'left knee': 15, 'left ankle': 16, 'right shoulder': 10,
             'right elbow': 11, 'right wrist': 12, 'left shoulder': 6, 'left elbow': 7, 'left wrist': 8, 'neck': 3, 'head top': 5}

    def __init__(self, root, device, size=96):
        names = json.loads((root / 'index.json').read_text())['joints']
        marked = np.fromfile(root / 'joints.i16', '<i2').reshape(-1, len(names), 2)
        tracks = np.zeros((len(marked), 22, 2), np.float32), np.zeros((len(marked), 22), bool)
        for at, name in enumerate(names):
            tracks[0][:, self.NAMES[name]] = marked[:, at] / 16 * 2 / size - 1
            tracks[1][:, self.NAMES[name]] = (marked[:, at] != -32768).all(-1)
        self.joints, self.known = (torch.from_numpy(t).to(device) for t in tracks)
        self.tiles = torch.from_numpy(np.concatenate(decoded(sorted(root.glob('*.jpg')), size))).to(device)


def decoded(paths, size=64):
    """All mosaics; on several cores where there are several to spare."""
    if (os.cpu_count() or 1) < 4:
        return [tiles(path, size) for path in paths]
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(16) as pool:                                   # the decoder releases the interpreter's lock
        return list(pool.map(tiles, paths, [size] * len(paths)))


def stored(cache, name, make):
    """An array as a tensor, mapped from the cache where there is one."""
    if cache is None:
        return torch.from_numpy(make())
    path = cache / f'{name}.npy'
    if not path.exists():
        part = cache / f'{name}.part.npy'
        np.save(part, make())
        part.rename(path)
    return torch.from_numpy(np.load(path, mmap_mode='c'))


class SoftLabels:
    """The picture teacher's answers to whole pictures [n, 1000], each asked for once and kept, in a file if one is named."""

    def __init__(self, pictures, teacher, device, path=None, size=128):
        self.pictures, self.teacher, self.size, shape = pictures, teacher, size, (len(pictures), CLASSES)
        if path is None:
            self.answers = torch.zeros(shape, dtype=torch.float16, device=device)
        else:
            if not path.exists():
                np.lib.format.open_memmap(path, 'w+', np.float16, shape).flush()
            self.answers = torch.from_numpy(np.lib.format.open_memmap(path, 'r+'))
        self.complete, self.dice = False, torch.Generator()                # of its own: what is in the cache changes nothing else

    def ask(self, index):
        x = F.interpolate(self.pictures[index].float() / 255, size=(self.size,) * 2, mode='bilinear', align_corners=False)
        logits = self.teacher(x * 2 - 1, len(index), ['logits'])['logits'][:, 1:]
        self.answers[index] = logits.softmax(1).half()

    def ask_all(self, batch=1000):
        for at in range(0, len(self.pictures), batch):
            self.ask(torch.arange(at, min(at + batch, len(self.pictures)), device=self.pictures.device))
        self.complete = True

    def of(self, index):
        """[n, 1000]. While a CUDA graph is recorded all must have been asked."""
        if not self.complete:
            for some in index.split(32):
                missing = some[self.answers[some].sum(1) == 0]
                if len(missing):                                           # always as many: a CPU's kernels are made for a size
                    others = torch.randint(len(self.answers), (len(some) - len(missing),), generator=self.dice)
                    self.ask(torch.cat([missing, others]))
        return self.answers[index].float()
