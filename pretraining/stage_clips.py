"""The stage of clips: what happens in one step, from motion and pictures to losses."""
from collections import deque
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from bodies import surface
from clips import Lesson, Motions, make
from constants import constant
from motion import Motion
from objectives import WITH_PEOPLE, Standard, moving, naming, watching
from pictures import MEAN, STD, Photos

TOLD = 'label', 'reversed', 'speed'


class Batch(NamedTuple):
    """Clips, what is known of their motion, and what the teachers say."""
    lesson: Lesson
    told: dict
    soft: torch.Tensor
    label: torch.Tensor
    answers: dict | None


def normalised(x):
    """[T, B, 3, h, w] or [N, 3, h, w], 0..1 -> [N, 3, h, w] as the student takes it."""
    m, s = (constant(v, x.device)[:, None, None] for v in (MEAN, STD))
    return ((x - m) / s).view(-1, *x.shape[-3:]).contiguous(memory_format=torch.channels_last)


class ClipStage:
    def __init__(self, options, pictures, soft_labels, video_teacher, device, rng):
        self.o, self.pictures, self.soft, self.teacher, self.device = options, pictures, soft_labels, video_teacher, device
        self.recordable = device.type == 'cuda'                            # a step is recorded as a CUDA graph
        self.motion = Motion(options.motion, options.without, generator=rng)
        self.unseen = Motion(options.motion, options.without, measuring=True, generator=np.random.default_rng(7))
        self.surface = surface(self.motion.parents, options.points, device)
        self.rows = torch.from_numpy(self.motion.rows).to(device)
        self.standard = Standard(432).to(device)
        self.people, self.photo_clips = round(options.batch * options.with_people), round(options.batch * options.with_photos)
        place = torch.arange(options.batch, device=device)                 # drawn people, photographs (of no class), pictures
        self.weight = torch.where(place < self.people, WITH_PEOPLE, torch.where(place < self.people + self.photo_clips, 0.0, 1.0))
        self.photos = Photos(options.shared / 'data/leeds-sports', device) if self.photo_clips else None
        self.size, self.rng, self.kept = options.sizes[0], rng, deque(maxlen=128)
        self.inputs = self.drawn(self.motion, self.people)

    @property
    def motions(self):
        return self.motion.classes

    def facts(self):
        return dict(motions=len(self.motions), stretches=len(self.motion.length), held_out=len(self.unseen.length))

    def drawn(self, motion, n, **how):
        windows = motion.draw(n, self.o.frames, **how)._asdict()
        return {name: torch.from_numpy(value).to(self.device) for name, value in windows.items()}

    def prepare(self):
        """What the host decides of the next step, put where the recorded step reads it."""
        self.size = int(self.rng.choice(self.o.sizes))
        for name, value in self.drawn(self.motion, self.people).items():
            self.inputs[name].copy_(value)

    def clips(self, inputs, tiles, batch, photo_clips=0):
        index = torch.randint(len(tiles), (batch,), device=self.device)
        motions = Motions(self.rows, *(inputs[name] for name in ('low', 'part', 'people', 'acts')))
        return make(tiles, index, motions, self.surface, self.o.render, self.o.frames, self.photos, photo_clips, self.recordable)

    def for_student(self, frames, size):
        x = frames.flatten(0, 1)
        if size != x.shape[-1]:
            x = F.interpolate(x, size=(size, size), mode='bilinear', align_corners=False, antialias=True)
        return normalised(x)

    def answers(self, lesson):
        """The video teacher's to every n-th clip, [., 400] and [., 432]."""
        x = lesson.frames[:, ::self.o.every].contiguous()
        clips, at_once = x.shape[1], x.shape[1] if self.device.type == 'cuda' else 2   # small maps stay in a core's cache
        parts = [self.teacher(part.flatten(0, 1), part.shape[1], ['logits', 'frames']) for part in x.split(at_once, 1)]
        logits = torch.cat([part['logits'] for part in parts])
        frames = torch.cat([part['frames'].unflatten(0, (self.o.frames, -1)).mean(0) for part in parts])
        return dict(logits=logits, frames=frames)

    @torch.no_grad()
    def made(self):
        """A new batch with everything that is said of it."""
        lesson = self.clips(self.inputs, self.pictures.train, self.o.batch, self.photo_clips)
        soft, label = self.soft.of(lesson.picture), self.pictures.label[lesson.picture]
        answers = self.answers(lesson) if self.teacher else None
        return Batch(lesson, {name: self.inputs[name] for name in TOLD}, soft, label, answers)

    @torch.no_grad()
    def batch(self):
        """A new one, or on a CPU, where making one costs more than learning from it, now and then one of before."""
        if self.recordable or self.o.reuse <= 1:
            return self.made()
        if len(self.kept) >= self.kept.maxlen // 4 and self.rng.random() > 1 / self.o.reuse:
            batch = self.kept[self.rng.integers(len(self.kept))]
            return batch._replace(lesson=batch.lesson._replace(frames=batch.lesson.frames.float() / 255))
        batch = self.made()
        kept = batch.lesson._replace(frames=(batch.lesson.frames * 255).round().byte())
        self.kept.append(batch._replace(lesson=kept, told={name: value.clone() for name, value in batch.told.items()}))
        return batch

    def losses(self, student):
        lesson, told, soft, label, answers = self.batch()
        with torch.no_grad():
            x = self.for_student(lesson.frames, self.size)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == 'cuda', cache_enabled=False):
            seen = student(x, self.o.batch)
            losses = naming(student.picture(seen.hidden), soft, label, self.weight)
            more, facts = moving(student, seen, lesson, told)
            if answers:
                losses.update(watching(student, seen, self.o.every, answers, self.standard))
        return {**losses, **more}, facts

    @torch.no_grad()
    def measure(self, student, clips=240, batch=24):
        """Top-1 over the motion classes on subjects held out, before pictures held out; every class as often."""
        before, count, right, best5 = torch.get_rng_state(), 0, 0, 0
        torch.manual_seed(11)
        self.unseen.rng = np.random.default_rng(7)
        for _ in range(clips // batch):
            inputs = self.drawn(self.unseen, batch, backwards=0)
            lesson = self.clips(inputs, self.pictures.val, batch)
            seen = student(self.for_student(lesson.frames, self.o.sizes[-1]), batch)
            order = student.motion(seen.hidden).float().topk(5).indices == inputs['label'][:, None]
            right, best5, count = right + order[:, 0].sum().item(), best5 + order.any(1).sum().item(), count + batch
        torch.set_rng_state(before)
        classes = len(set(self.unseen.label.tolist()) - {-1})
        top1, top5 = round(100 * right / count, 1), round(100 * best5 / count, 1)
        return dict(unseen_subjects=top1, top5=top5, of_classes=classes, measured=count)
