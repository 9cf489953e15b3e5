#!/usr/bin/env python3
"""A sheet of made-up clips to look at, with joints drawn."""
import argparse
from pathlib import Path

import numpy as np
import torch

from bodies import surface
from clips import Motions, make
from motion import Motion
from pictures import Photos, Pictures


def main(shared, out, clips=10, cache=None, size=112):
    import cv2
    data = Path(shared) / 'data'
    pictures = Pictures(data / 'tiny-imagenet', None if cache is None else Path(cache))
    motion = Motion([data / 'mocap', data / 'mocap2/free', data / 'mocap2/research'])
    device = torch.device('cpu')
    w = motion.draw(clips, 8)
    rows = torch.from_numpy(motion.rows)
    m = Motions(rows, *(torch.from_numpy(v) for v in (w.low, w.part, w.people, w.acts)))
    photos = Photos(data / 'leeds-sports', device)
    index, body = torch.randint(len(pictures.val), (clips + 4,)), surface(motion.parents, 3600, device)
    lesson = make(pictures.val, index, m, body, size, 8, photos, 4)
    clips += 4
    x = (lesson.frames.permute(1, 3, 0, 4, 2).reshape(clips, size, 8 * size, 3).numpy() * 255).astype(np.uint8)[..., ::-1].copy()
    for b in range(0, clips, 4):
        for t in range(8):
            for p in range(2):
                for j in range(22):
                    if lesson.seen[t, b, p, j]:
                        u, v = ((lesson.joints[t, b, p, j] + 1) / 2 * size).tolist()
                        cv2.circle(x[b], (int(u) + t * size, int(v)), 1, (255, 255, 0) if p else (255, 0, 255), -1)
    cv2.imwrite(out, x.reshape(-1, 8 * size, 3))
    for b in range(clips - 4):
        label = 'backwards' if w.reversed[b] else motion.classes[w.label[b]]
        print(label, f'people {w.people[b]}, speed {w.speed[b]:.2f}, acts left {lesson.acts_left[b]}, camera {lesson.camera[b].tolist()}')


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('shared', help='folder with data/')
    p.add_argument('out', help='the picture, as PNG')
    p.add_argument('clips', nargs='?', type=int, default=10)
    p.add_argument('cache', nargs='?', help='folder for decoded pictures')
    main(**vars(p.parse_args()))
