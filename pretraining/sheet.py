#!/usr/bin/env python3
"""A sheet of made-up clips to look at, with joints drawn: sheet.py SHARED OUT.png [clips]"""
import sys
from pathlib import Path

import numpy as np
import torch

from bodies import surface
from clips import Motions, make
from motion import Motion
from pictures import Pictures


def main(shared, out, clips=10, size=112):
    import cv2
    data = Path(shared) / 'data'
    pictures = Pictures(data / 'tiny-imagenet', Path('/tmp/pre/cache'))
    motion = Motion([data / 'mocap', data / 'mocap2/free', data / 'mocap2/research'])
    device = torch.device('cpu')
    w = motion.draw(clips, 8)
    rows = torch.from_numpy(motion.rows)
    m = Motions(rows, *(torch.from_numpy(v) for v in (w.low, w.part, w.people, w.acts)))
    lesson = make(pictures.val, torch.randint(len(pictures.val), (clips,)), m, surface(motion.parents, 3600, device), size)
    x = (lesson.frames.permute(1, 3, 0, 4, 2).reshape(clips, size, 8 * size, 3).numpy() * 255).astype(np.uint8)[..., ::-1].copy()
    for b in range(0, clips, 4):
        for t in range(8):
            for p in range(2):
                for j in range(22):
                    if lesson.seen[t, b, p, j]:
                        u, v = ((lesson.joints[t, b, p, j] + 1) / 2 * size).tolist()
                        cv2.circle(x[b], (int(u) + t * size, int(v)), 1, (255, 255, 0) if p else (255, 0, 255), -1)
    cv2.imwrite(out, x.reshape(-1, 8 * size, 3))
    for b in range(clips):
        print(motion.classes[w.label[b]], w.people[b], 'reversed' if w.reversed[b] else '', f'speed {w.speed[b]:.2f}', lesson.acts_left[b].item(), lesson.camera[b].tolist())


if __name__ == '__main__':
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
