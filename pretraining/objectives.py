"""What a batch is judged by. Each function gives named losses; their weights stand in one table."""
import torch
import torch.nn.functional as F
from torch import nn

from network import FACTS

WEIGHTS = dict(picture=0.8, label=0.3, motion=1.5, reversed=0.4, speed=0.5, acts=0.5, view=0.5, camera=0.7, joints=5.0,
               actions=2.0, frames=0.7, features=1.0, middle=0.5)
WITH_PEOPLE = 0.4                  # weight of naming the picture where people stand before it
TEMPERATURE = 3.0                  # the video teacher is very sure of itself


def mean_of(values, known):
    known = known.to(values.dtype)
    return (values * known).sum() / known.sum().clamp(min=1)


class Standard(nn.Module):
    """Targets minus their mean over their deviation, each channel's own, both followed slowly."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer('mean', torch.zeros(channels))
        self.register_buffer('square', torch.ones(channels))
        self.register_buffer('steps', torch.zeros(()))

    def forward(self, x):
        share = torch.maximum(1 / (self.steps + 1), torch.full_like(self.steps, 0.01))
        self.steps += 1
        self.mean.lerp_(x.mean(0), share)
        self.square.lerp_(x.square().mean(0), share)
        return ((x - self.mean) / (self.square - self.mean.square()).clamp(min=1e-6).sqrt()).clamp(-5, 5)


def naming(logits, soft, label, weight):
    """The picture teacher's answers and the labels."""
    chances = F.log_softmax(logits.float(), 1)
    likeness = -(soft * chances).sum(1) + (soft * soft.clamp(min=1e-8).log()).sum(1)
    hard = -chances.gather(1, label[:, None])[:, 0]
    return dict(picture=(weight * likeness).mean(), label=(weight * hard).mean())


def moving(student, seen, lesson, told):
    """What captured motion teaches; `told` holds label, reversed and speed [k]."""
    k, t, shown = len(told['label']), len(lesson.frames), lesson.joints.shape[1]
    facts = dict(zip(FACTS, student.facts(seen.hidden).float().split(list(FACTS.values()), 1)))
    motion = student.motion(seen.hidden[:k]).float()
    chances = F.log_softmax(motion, 1)                                     # smoothed labels: PyTorch's own no graph can hold
    surprise = -0.95 * chances.gather(1, told['label'].clamp(min=0)[:, None])[:, 0] - 0.05 * chances.mean(1)
    joints = student.where(seen.middle.unflatten(0, (t, -1))[:, :shown].flatten(0, 1)).unflatten(0, (t, shown))
    off = F.smooth_l1_loss(joints, lesson.joints, beta=0.1, reduction='none').mean(-1)
    acts = F.binary_cross_entropy_with_logits(facts['acts_left'][:k, 0], lesson.acts_left.clamp(min=0).float(), reduction='none')
    losses = dict(
        motion=mean_of(surprise, told['label'] >= 0),
        reversed=F.binary_cross_entropy_with_logits(facts['reversed'][:k, 0], told['reversed']),
        speed=F.smooth_l1_loss(facts['speed'][:k, 0], told['speed']),
        acts=mean_of(acts, lesson.acts_left >= 0),
        view=(facts['view'][:k] - lesson.view).square().mean(),
        camera=F.smooth_l1_loss(facts['camera'], lesson.camera, beta=0.3),
        joints=mean_of(off, lesson.seen))
    with torch.no_grad():
        right = mean_of((motion.argmax(1) == told['label']).float(), told['label'] >= 0)
    return losses, dict(right=right)


def watching(student, seen, every, answers, standard):
    """The video teacher's answers to every `every`-th clip."""
    logits = student.video_logits(seen.hidden[::every]).float()
    wanted = (answers['logits'] / TEMPERATURE).softmax(1)
    actions = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1), wanted, reduction='batchmean')
    like = student.video_frames(torch.cat([seen.pooled, seen.hidden], 1)[::every]).float()
    return dict(actions=actions, frames=F.smooth_l1_loss(like, standard(answers['frames'])))


def total(losses):
    return sum(WEIGHTS[name] * loss for name, loss in losses.items())
