#!/usr/bin/env python3
"""
What test/pretraining.test.ts compares: `check.py student OUT` writes random students as weights, a clip and their logits;
`check.py teachers OUT SHARED` a random input of each teacher and its answers; `check.py motion OUT` makes tracks of its own and says what
windows of them hold. `check.py recordable SHARED` looks, without a GPU, for
what a CUDA graph cannot hold in a step of either stage.
"""
import argparse
import json
import traceback
from pathlib import Path

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import train
from export import metadata, tensors_of, write_safetensors
from motion import Motion
from network import LAYOUTS, Student
from teachers import Teacher

FRAMES, SIDE, CLASSES = 4, 48, 7


def uneven(model):
    """Statistics, slopes and biases that do something, unlike those that a network starts with."""
    for name, value in model.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        elif name.endswith(('running_mean', 'bias', 'bn.weight', 'norm.weight', 'norm1.weight', 'norm2.weight')):
            value.add_(torch.randn_like(value) * 0.2)


def student(out):
    for layout in LAYOUTS:
        torch.manual_seed(3)
        model = Student(LAYOUTS[layout], CLASSES).eval()
        uneven(model)
        model.load_state_dict({name: value.half().to(value.dtype) for name, value in model.state_dict().items()})
        clip = torch.randn(FRAMES, 3, SIDE, SIDE)
        with torch.no_grad():
            logits = model.motion(model(clip.contiguous(memory_format=torch.channels_last), 1).hidden)
        labels = [f'motion {k}' for k in range(CLASSES)]
        tensors, about = tensors_of(dict(average=model.state_dict())), metadata(layout, labels, layout, FRAMES, SIDE, {})
        write_safetensors(out / f'{layout}.safetensors', tensors, about)
        (out / f'{layout}.f32').write_bytes(clip.numpy().tobytes())
        (out / f'{layout}.json').write_text(json.dumps(logits[0].tolist()))


def teachers(out, shared):
    """Two clips or pictures each; the video teacher's axes are [T, B] here and [B, T] in its file."""
    torch.manual_seed(4)
    for name, frames, wanted in (('mobilenet_v2_1.0_224', 1, ['logits']), ('x3d_xs_kinetics400', 4, ['logits', 'frames'])):
        path = Path(shared) / 'weights' / name / 'teacher.onnx'
        x = torch.rand(frames, 2, 3, 64, 64)
        answers = Teacher(path, torch.device('cpu'))(x.flatten(0, 1), 2, wanted)
        if frames > 1:
            answers['frames'] = answers['frames'].unflatten(0, (frames, 2)).transpose(0, 1)
        shape = [2, 3, 64, 64] if frames == 1 else [2, frames, 3, 64, 64]
        (out / f'{name}.f32').write_bytes(x.transpose(0, 1).contiguous().numpy().tobytes())
        answers = {key: value.flatten().tolist() for key, value in answers.items()}
        (out / f'{name}.json').write_text(json.dumps(dict(path=str(path), shape=shape, answers=answers)))


def motion(out):
    """
    Five subjects, a pair each, and a sixth alone. A row's x is 1 more than the row before, its y 1000 for the second of a pair, z 1 in
    glitches: so a window shows whether its frames follow each other, the two go together, and nothing broken is in it.
    """
    trials, rows = [], []
    for subject in range(6):
        for role in 'AB' if subject < 5 else 'A':
            track = np.zeros((60, 22, 3), '<i2')
            track[..., 0], track[..., 1] = np.arange(60)[:, None], 1000 * (role == 'B')
            glitches = [[20, 24]] if (subject, role) == (0, 'B') else [[30, 60]] if subject == 5 else []
            for start, end in glitches:
                track[start:end, :, 2] = 1
            pair = dict(pair=subject, role=role, acts=role == 'B') if subject < 5 else {}
            trials.append(dict(subject=f's{subject}', source='own', label=f'm{subject % 2}', firstFrame=60 * len(rows), frames=60, glitches=glitches, **pair))
            rows.append(track)
    np.concatenate(rows).tofile(out / 'joints.i16')
    joints = [f'j{k}' for k in range(22)]
    (out / 'index.json').write_text(json.dumps(dict(joints=joints, parents=[-1] + [0] * 21, trials=trials)))
    facts = {}
    for name, measuring in (('train', False), ('measure', True)):
        tracks = Motion([out], measuring=measuring, generator=np.random.default_rng(0))
        w = tracks.draw(500, 8, passers=0, backwards=0.5)
        at = 1000 * (tracks.rows[w.low] * (1 - w.part[..., None, None]) + tracks.rows[w.low + 1] * w.part[..., None, None])
        pairs, steps = w.people == 2, np.diff(at[:, :, 0, 0, 0], axis=0)
        together = np.abs(at[:, pairs, 1] - at[:, pairs, 0] - np.array([0, 1000, 0])).max()
        facts[name] = dict(
            subjects=sorted({trials[row // 60]['subject'] for row in w.low[..., 0].ravel()}), glitches=float(at[..., 2].max()),
            apart=float(together), forwards=bool((steps[:, w.reversed == 0] > 0).all()), backwards=bool((steps[:, w.reversed == 1] < 0).all()),
            classless_backwards=bool((w.label[w.reversed == 1] == -1).all()), acts=sorted(set(w.acts[pairs].tolist())))
    print(json.dumps(facts))


class Unrecordable(TorchDispatchMode):
    """Notes operators that wait for the device or bring values from the host."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        picked = args[1] if 'index' in str(func) and len(args) > 1 and isinstance(args[1], (list, tuple)) else []
        if any(name in str(func) for name in ('_local_scalar', 'nonzero', 'lift_fresh', 'masked_select', 'unique')) or any(
                getattr(index, 'dtype', None) == torch.bool for index in picked):
            self.found.add(f'{func}: {"".join(traceback.format_stack()[-5:-1])}')
        return func(*args, **(kwargs or {}))


def recordable(shared):
    for name in ('pictures', 'clips'):
        o = train.options([name, '--shared', str(shared), '--out', '.', '--batch', '10', '--sizes', '64'])
        stage = train.stage_of(o, torch.device('cpu'), np.random.default_rng(0))
        model = Student(LAYOUTS['52m'], len(stage.motions))
        stage.recordable = True
        train.total(stage.losses(model)[0]).backward()                    # constants are made, soft labels asked
        if name == 'clips':
            stage.soft.complete = True
        stage.prepare()
        with Unrecordable() as mode:
            train.total(stage.losses(model)[0]).backward()
        print(f'{name}: {len(mode.found) or "nothing"} that a CUDA graph cannot hold', *mode.found, sep='\n')


if __name__ == '__main__':
    torch.set_num_threads(1)
    checks = dict(student=student, teachers=teachers, motion=motion, recordable=recordable)
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('check', choices=checks)
    p.add_argument('folder', type=Path, help='OUT, for recordable SHARED')
    p.add_argument('shared', nargs='?', help='for teachers only')
    o = p.parse_args()
    if (o.check == 'teachers') != (o.shared is not None):
        p.error('teachers needs OUT and SHARED, the others one folder')
    if o.check != 'recordable':
        o.folder.mkdir(parents=True, exist_ok=True)
    checks[o.check](o.folder, *([] if o.shared is None else [o.shared]))
