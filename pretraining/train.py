#!/usr/bin/env python3
"""
Pretrains one layout: `train.py pictures|clips --shared DIR --out DIR ...`. Called again it goes on where it was; README.md has the
commands.
"""
import argparse
import json
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from network import LAYOUTS, Student
from objectives import total
from pictures import Pictures, SoftLabels
from stage_clips import ClipStage
from stage_pictures import PictureStage
from start import start_from
from state import Average, dice_again, dice_now, hand_back, write
from teachers import Teacher


def options(arguments=None):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('stage', choices=['pictures', 'clips'])
    p.add_argument('--shared', type=Path, required=True, help='folder with data/ and weights/')
    p.add_argument('--out', type=Path, required=True, help='folder of the run: state, log')
    p.add_argument('--layout', default='52m', choices=list(LAYOUTS))
    p.add_argument('--start', type=Path, help='weights to begin a new run with')
    p.add_argument('--cache', type=Path, help='folder for decoded pictures and soft labels, shared by runs')
    p.add_argument('--hand-back', type=Path, help='folder for the weights alone, small enough for the way home')
    p.add_argument('--without', nargs='*', default=[], help='sources of motion to leave out, such as sbu')
    p.add_argument('--free-only', action='store_true', help='only motion that is free for any use')
    p.add_argument('--no-video-teacher', action='store_true')
    p.add_argument('--every', type=int, default=2, help='the video teacher sees every n-th clip')
    p.add_argument('--minutes', type=float, default=1e9, help='end after so many')
    p.add_argument('--steps', type=int, default=10 ** 9, help='end after so many steps, counted from the first run on')
    p.add_argument('--cool-from', type=int, help='step from which on the learning rate falls, to nothing at --steps')
    p.add_argument('--save-minutes', type=float, default=3)
    p.add_argument('--measure-every', type=int, default=4, help='measure at every n-th state saved')
    p.add_argument('--batch', type=int, default=32)
    p.add_argument('--with-people', type=float, default=0.7, help='share of the clips that show people')
    p.add_argument('--with-photos', type=float, default=0.1, help='share that shows photographed people')
    p.add_argument('--reuse', type=float, default=1.5, help='on a CPU: how often a batch is learnt from, on average')
    p.add_argument('--frames', type=int, default=8)
    p.add_argument('--sizes', type=int, nargs='+', default=[80], help="sides of the student's frames; on a GPU one")
    p.add_argument('--teacher-size', type=int, default=128, help='side of the pictures as the picture teacher sees them')
    p.add_argument('--render', type=int, default=112, help='side of the clips as made, and as the video teacher sees them')
    p.add_argument('--points', type=int, default=3600, help='of the surface of a body')
    p.add_argument('--rate', type=float, default=5e-4)
    p.add_argument('--heads', type=float, default=2, help='how much faster the heads learn than the backbone')
    p.add_argument('--warm-up', type=int, default=100)
    p.add_argument('--decay', type=float, default=0.05)
    p.add_argument('--seed', type=int, default=0)
    o = p.parse_args(arguments)
    data = o.shared / 'data'
    if not data.is_dir():
        p.error(f'{data}: no such folder')
    o.motion = [data / 'mocap', data / 'mocap2/free'] + ([] if o.free_only else [data / 'mocap2/research'])
    return o


class Log:
    """One line of JSON each, on the screen and in the run's log."""

    def __init__(self, path):
        self.file, self.begun = open(path, 'a'), time.time()

    def __call__(self, **facts):
        line = json.dumps(dict(at=time.strftime('%H:%M:%S'), **facts))
        print(line, flush=True)
        print(line, file=self.file, flush=True)


def optimiser_for(student, o, rates):
    """
    AdamW for the backbone and, at another rate, the heads (not that of the joints, which reads thousands of values); biases, norms and
    the tokens are not decayed. On a GPU its step can be recorded.
    """
    groups = [dict(params=[], weight_decay=decay, lr=rate) for rate in rates for decay in (o.decay, 0.0)]
    for name, parameter in student.named_parameters():
        head, plain = not name.startswith(('net.', 'joints.')), parameter.dim() == 1 or not name.endswith('weight')
        groups[2 * head + plain]['params'].append(parameter)
    if rates[0].is_cuda:
        return torch.optim.AdamW(groups, betas=(0.9, 0.99), fused=True, capturable=True)
    return torch.optim.AdamW([dict(group, lr=group['lr'].item()) for group in groups], betas=(0.9, 0.99))


class Run:
    """A student, its optimiser and average, and the state on disk."""

    def __init__(self, o, stage, device, rng, log):
        self.o, self.stage, self.rng, self.log, self.step, self.seen = o, stage, rng, log, 0, 0
        self.student = Student(LAYOUTS[o.layout], len(stage.motions)).to(device)
        self.rates = [torch.tensor(rate, device=device) for rate in (o.rate, o.rate * o.heads)]
        self.path = o.out / 'state.pt'
        if not self.path.exists() and o.start:
            log(start=str(o.start), **start_from(self.student, o.start, stage.motions))
        self.optimiser, self.average = optimiser_for(self.student, o, self.rates), Average(self.student)
        if self.path.exists():
            self.resume(device)

    def resume(self, device):
        s = torch.load(self.path, map_location=device)
        if s['motions'] != self.stage.motions or s['layout'] != self.o.layout:
            raise SystemExit(f'{self.path} is of another layout or other motions: name another --out, or give it as --start')
        self.student.load_state_dict(s['student'])
        self.average.model.load_state_dict(s['average'])
        self.optimiser.load_state_dict(s['optimiser'])
        for group, rate in zip(self.optimiser.param_groups, (r for r in self.rates for _ in range(2))):
            group['lr'] = rate if rate.is_cuda else rate.item()            # not the copy that was stored
        self.stage.standard.load_state_dict(s['standard'])
        self.step, self.seen = s['step'], s['seen']
        dice_again(s['dice'], self.rng)
        self.log(resumed=self.step)

    def save(self):
        about = {name: str(value) for name, value in vars(self.o).items()}
        facts = dict(layout=self.o.layout, motions=self.stage.motions, step=self.step, seen=self.seen, about=about)
        average = self.average.model.state_dict()
        write(self.path, dict(facts, student=self.student.state_dict(), average=average, optimiser=self.optimiser.state_dict(),
                              standard=self.stage.standard.state_dict(), dice=dice_now(self.rng)))
        if self.o.hand_back:
            hand_back(self.o.hand_back, facts, average)

    def set_rate(self):
        """Rises, stays, falls: a run whose end is not known yet can be ended at any time by another that cools."""
        o = self.o
        share = min(1, (self.step + 1) / o.warm_up)
        if o.cool_from is not None and self.step > o.cool_from:
            share *= max(0, 1 - (self.step - o.cool_from) / (o.steps - o.cool_from))
        for rate, of in zip(self.rates, (o.rate, o.rate * o.heads)):
            rate.fill_(of * share)
        if not self.rates[0].is_cuda:
            for group, rate in zip(self.optimiser.param_groups, (r.item() for r in self.rates for _ in range(2))):
                group['lr'] = rate

    def learn(self):
        """One step; the losses and facts as one tensor. This is what a CUDA graph holds."""
        losses, told = self.stage.losses(self.student)
        total(losses).backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=False)
        self.names = [*losses, *told]
        return torch.stack([v.detach().float() for v in (*losses.values(), *told.values())])


class Recorded:
    """A step recorded once as a CUDA graph and repeated: hundreds of small kernels without the interpreter between them."""

    def __init__(self, step, log, on):
        self.step, self.graph = step, None
        if not on:
            return
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        try:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.out = step()
            self.graph = graph
        except RuntimeError as error:                                      # slower, but it goes on
            torch.cuda.synchronize()
            log(graph='failed', why=str(error)[:300])

    def __call__(self):
        if self.graph is None:
            return self.step()
        self.graph.replay()
        return self.out


def train(run, log, o, device):
    asked_to_end = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: asked_to_end.append(number))
    run.student.train()
    recorded = Recorded(run.learn, log, device.type == 'cuda')
    begun = saved = time.time()
    told, steps, saves = 0, 0, 0

    def report(measure):
        per_second = steps * o.batch / (time.time() - saved)
        losses = {name: round(v, 3) for name, v in zip(run.names, (told / max(steps, 1)).tolist())} if steps else {}
        measured = run.stage.measure(run.average.model) if measure else {}
        log(step=run.step, seen=run.seen, per_s=round(per_second, 2), **losses, **measured)

    while not asked_to_end and run.step < o.steps and time.time() - begun < 60 * o.minutes:
        run.set_rate()
        run.stage.prepare()
        told = told + recorded()
        run.step += 1
        run.seen += o.batch
        steps += 1
        run.average.update(run.step)
        if device.type == 'cuda' and steps % 4 == 0:
            torch.cuda.synchronize()                                       # time decides: the queue stays short
        if time.time() - saved > 60 * o.save_minutes:
            saves += 1
            run.save()
            report(saves % o.measure_every == 0)
            told, steps, saved = 0, 0, time.time()
    run.save()
    report(not asked_to_end)
    log(ended='asked to' if asked_to_end else 'done', step=run.step)


def stage_of(o, device, rng):
    weights, pictures = o.shared / 'weights', Pictures(o.shared / 'data/tiny-imagenet', o.cache).to(device)
    picture_teacher = Teacher(weights / 'mobilenet_v2_1.0_224/teacher.onnx', device)
    if o.stage == 'pictures':
        return PictureStage(o, pictures, picture_teacher, device)
    on_gpu = device.type == 'cuda'
    kept = None if on_gpu or not o.cache else o.cache / 'soft.npy'
    soft = SoftLabels(pictures.train, picture_teacher, device, kept, o.teacher_size)
    if on_gpu:
        soft.ask_all()
    video = None if o.no_video_teacher else Teacher(weights / 'x3d_xs_kinetics400/teacher.onnx', device)
    return ClipStage(o, pictures, soft, video, device, rng)


def main():
    o = options()
    o.out.mkdir(parents=True, exist_ok=True)
    if o.cache:
        o.cache.mkdir(parents=True, exist_ok=True)
    log = Log(o.out / 'log.jsonl')
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    torch.backends.cudnn.benchmark = False                                 # trying every algorithm takes half a minute
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(o.seed)
    rng = np.random.default_rng(o.seed)
    if device.type == 'cuda':
        o.sizes = o.sizes[:1]                                              # a graph is of one size
    stage = stage_of(o, device, rng)
    log(stage=o.stage, device=device.type, **stage.facts())
    train(Run(o, stage, device, rng, log), log, o, device)


if __name__ == '__main__':
    main()
