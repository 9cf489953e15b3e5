"""Clips made up on the device: pictures under a moving camera, people and things before them, and a cheap camera's faults.

Everything is [T, B, ...] with values 0..1 until a clip is done. Nothing is copied from the host: a CUDA graph can hold it all.
"""
import copy
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from bodies import MIRRORED, Dice, scene
from constants import constant

DEPTHS, FARTHEST = 1 << 20, 40.0   # steps of the depth buffer, over metres


class Lesson(NamedTuple):
    """Clips and what is to be learnt from them: k of drawn people, m of photographed ones, the rest without."""
    frames: torch.Tensor           # [T, B, 3, R, R]
    picture: torch.Tensor          # [B] index of the picture behind; means nothing for photographs
    camera: torch.Tensor           # [B, 4] shift right and down, log zoom, roll over the clip, about -1..1
    joints: torch.Tensor           # [T, k + m, 2, 22, 2] -1..1, whoever is on the left first
    seen: torch.Tensor             # [T, k + m, 2, 22] whether the joint is known and lies within the frame
    view: torch.Tensor             # [k, 2] cosine and sine of the direction that the first of them faces
    acts_left: torch.Tensor        # [k] 1 the one on the left acts, 0 the other, -1 neither or unknown


class Motions(NamedTuple):
    """motion.Windows as tensors, and the tracks they point into."""
    rows: torch.Tensor             # [frames, 22, 3]
    low: torch.Tensor
    part: torch.Tensor
    people: torch.Tensor
    acts: torch.Tensor


def grid(size, device):
    """[R, R, 2] x and y of the pixels' middles in -1..1."""
    at = (torch.arange(size, device=device) + 0.5) * 2 / size - 1
    return torch.stack([at.expand(size, size), at[:, None].expand(size, size)], -1)


def sampled(pictures, index, at):
    """Bytes [n, 3, s, s] at [T, B, R, R, 2] -> [T, B, 3, R, R]."""
    t, b, r = at.shape[:3]
    texture = (pictures[index].float() / 255).expand(t, -1, -1, -1, -1).flatten(0, 1)
    x = F.grid_sample(texture, at.flatten(0, 1), mode='bilinear', padding_mode='reflection', align_corners=False)
    return x.unflatten(0, (t, b))


class Path:
    """The camera's way over a clip: where a point of the frame lies in the scene, and back."""

    def __init__(self, frames, dice, most=(0.5, 0.35, 0.35, 0.3)):
        moves = (~dice.often(0.3)).float()
        self.change = torch.stack([dice(-1, 1) * moves for _ in most], 1)  # [B, 4]
        dx, dy, dz, turn = (self.change[:, k] * m for k, m in enumerate(most))
        steps = ((torch.arange(frames, device=dice.device) + 0.5) / frames - 0.5)[:, None]
        sway = torch.randn(frames, dice.clips, 2, device=dice.device) * dice(0, 0.025)[:, None] * dice.often(0.5)[:, None]
        self.shift = torch.stack([dx * steps, dy * steps], -1) + sway      # [T, B, 2]
        self.zoom, self.angle = torch.exp(dz * steps), turn * steps        # [T, B]

    def of(self, clips):
        """The paths of a slice of the clips."""
        part = copy.copy(self)
        part.shift, part.zoom, part.angle = (v[:, clips] for v in (self.shift, self.zoom, self.angle))
        return part

    def into_scene(self, p):
        """[R, R, 2] -> [T, B, R, R, 2]"""
        c, s = (f(self.angle)[:, :, None, None] * self.zoom[:, :, None, None] for f in (torch.cos, torch.sin))
        return torch.stack([c * p[..., 0] - s * p[..., 1], s * p[..., 0] + c * p[..., 1]], -1) + self.shift[:, :, None, None]

    def into_frame(self, q):
        """Points [T or 1, B, 2, n, 2] of the scene -> [T, B, 2, n, 2] of the frame"""
        wide = lambda v: v[:, :, None, None]
        d, c, s, zoom = q - wide(self.shift), wide(torch.cos(self.angle)), wide(torch.sin(self.angle)), wide(self.zoom)
        return torch.stack([c * d[..., 0] + s * d[..., 1], c * d[..., 1] - s * d[..., 0]], -1) / zoom[..., None]


class Shot:
    """Which part of its picture each scene is, half of them mirrored."""

    def __init__(self, dice):
        size, self.flip = dice(0.5, 0.9), dice.often(0.5)
        self.scale = torch.stack([size * torch.where(self.flip, -1.0, 1.0), size], -1)
        self.middle = torch.stack([dice(-0.2, 0.2), dice(-0.2, 0.2)], -1)  # [B, 2]

    def of(self, pictures, index, path, cells):
        return sampled(pictures, index, path.into_scene(cells) * self.scale[:, None, None] + self.middle[:, None, None])


def photographed(photos, count, path, cells):
    """Photographs of people under the moving camera, and where their joints are then (a Lesson's first place)."""
    device = cells.device
    shot, index = Shot(Dice(count, device)), torch.randint(len(photos.tiles), (count,), device=device)
    frames = shot.of(photos.tiles, index, path, cells)
    swap = constant(MIRRORED, device, torch.long)
    flip = shot.flip[:, None]
    known = torch.where(flip, photos.known[index][:, swap], photos.known[index])
    at = torch.where(flip[..., None], photos.joints[index][:, swap], photos.joints[index])
    at = path.into_frame(((at - shot.middle[:, None]) / shot.scale[:, None])[None, :, None])        # [T, m, 1, 22, 2]
    seen = known[:, None] & (at.abs().amax(-1) < 1.05)
    return frames, torch.cat([at, torch.zeros_like(at)], 2), torch.cat([seen, torch.zeros_like(seen)], 2)


def add_things(frames, pictures, path, cells, step):
    """Before everything so far, in every `step`-th clip: a patch of another picture, round or square, stands, flies or turns."""
    part, path, device = frames[:, ::step], path.of(slice(None, None, step)), frames.device
    dice, t = Dice(part.shape[1], device), len(frames)
    steps = ((torch.arange(t, device=device) + 0.5) / t - 0.5)[:, None]
    lies = dice.often(0.4).float()                                         # part of the scene: moves as the camera makes it move
    fast = dice.often(0.6).float() * (1 - lies)
    x, y = (dice(-1, 1) + dice(-1.2, 1.2) * fast * steps for _ in range(2))
    angle = dice(-math.pi, math.pi) + dice(-2, 2) * fast * steps
    at = torch.where(lies[:, None, None, None] > 0, path.into_scene(cells), cells)
    at = at - torch.stack([x, y], -1)[:, :, None, None]
    c, s = torch.cos(angle)[:, :, None, None], torch.sin(angle)[:, :, None, None]
    u, v = c * at[..., 0] + s * at[..., 1], c * at[..., 1] - s * at[..., 0]
    narrow = dice(0.08, 0.4)
    u, v = u / narrow[:, None, None], v / (narrow * dice(0.5, 2.5)).clamp(max=0.9)[:, None, None]
    power = torch.where(dice.often(0.5), 2.0, 8.0)[:, None, None]
    inside = u.abs() ** power + v.abs() ** power < 1
    index = torch.randint(len(pictures), (dice.clips,), device=device)
    patch = sampled(pictures, index, torch.stack([u, v], -1) * 0.6)
    frames[:, ::step] = torch.where(inside[:, :, None], patch * dice(0.5, 1)[:, None, None, None], part)


def spots(at, size, side):
    """Points [..., 2] in -1..1 -> the square of `side` pixels around each: x and y [side * side, ...], whole numbers."""
    first = torch.floor((at + 1) * (size / 2) - (side - 1) / 2).clamp(-9, size + 9).long()
    steps = torch.arange(side, device=at.device)
    each = lambda v, s: v + s.view(-1, *[1] * v.dim())
    return each(first[..., 0], steps.repeat(side)), each(first[..., 1], steps.repeat_interleave(side))


def drawn(points, there, size):
    """Points [T, k, 2, K, 3] -> the numbers of 3 x 3 pixels that each covers, [9 * T * k * 2 * K], and where that is true: in small
    bodies, whose points lie close, 2 x 2 are enough, and they stay slim."""
    (t, k), device = points.shape[:2], points.device
    x, y = spots(points[..., :2], size, 3)
    image = torch.arange(t * k, device=device).view(t, k, 1, 1)
    spread = (points[..., :2].amax(-2) - points[..., :2].amin(-2)).sum(-1)[..., None]
    outer = constant(OUTER, device, torch.bool).view(9, 1, 1, 1, 1)
    visible = there[..., None] & (points[..., 2] < FARTHEST)
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size) & visible & (~outer | (spread * size > 140))
    aside = t * k * size * size + torch.arange(points.shape[3], device=device) % ASIDE
    return torch.where(inside, (image * size + y) * size + x, aside).flatten(), inside.flatten()


OUTER = tuple(step % 3 == 2 or step // 3 == 2 for step in range(9))
ASIDE = 1024                       # places for what is not seen: one alone would be fought for


def painted(points, colour, there, size, recordable):
    """The nearest of the points [T, k, 2, K, 3] at every pixel -> colours [T, k, 3, R, R], and where there are any."""
    t, k, p, n = points.shape[:4]
    pixel, inside = drawn(points, there, size)
    depth = (points[..., 2].clamp(0, FARTHEST) * (DEPTHS / FARTHEST)).long()
    key = ((depth << 20) + torch.arange(p * n, device=depth.device).view(p, n)).expand(9, -1, -1, -1, -1).flatten()
    if not recordable:                                                     # fewer to compare where their number may change
        pixel, key = pixel[inside], key[inside]
    nothing = DEPTHS << 21
    nearest = torch.full((t * k * size * size + ASIDE,), nothing, dtype=torch.long, device=pixel.device)
    nearest = nearest.scatter_reduce_(0, pixel, key, 'amin')[:-ASIDE].view(t * k, -1)
    found = nearest < nothing
    chosen = (nearest & ((1 << 20) - 1)).clamp(max=p * n - 1) + torch.arange(t * k, device=pixel.device)[:, None] * (p * n)
    rgb = colour.reshape(-1, 3)[chosen.flatten()].view(t, k, size, size, 3).permute(0, 1, 4, 2, 3)
    return rgb, found.view(t, k, 1, size, size)


def shadows(points, there, size):
    """Points on the ground [T, k, 2, n, 2] -> how much shadow, 0..1, [T, k, 1, R, R]."""
    t, k = points.shape[:2]
    x, y = spots(points, size, 2)
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size) & there[..., None]
    image = torch.arange(t * k, device=x.device).view(t, k, 1, 1)
    mask = torch.zeros(t * k * size * size + 1, device=x.device)
    mask.scatter_(0, torch.where(inside, (image * size + y) * size + x, t * k * size * size).flatten(), 1.0)
    return F.avg_pool2d(mask[:-1].view(t * k, 1, size, size), 7, 1, 3).view(t, k, 1, size, size)


def add_people(frames, motions, surface, path, dice, recordable):
    """Draws people into the clips [T, k, 3, R, R] -> those, and the Lesson's facts about people."""
    size = frames.shape[-1]
    low, part = motions.low, motions.part[..., None, None]
    xyz = torch.lerp(motions.rows[low], motions.rows[low + 1], part)       # [T, k, 2, 22, 3]
    s = scene(xyz, motions.people, surface, dice)
    follows = dice.often(0.3)[:, None, None, None]                         # the camera goes with them
    framed = lambda q: torch.where(follows, q, path.into_frame(q))
    points = torch.cat([framed(s.points[..., :2]), s.points[..., 2:]], -1)
    shade = shadows(framed(s.shadow), s.there, size) * dice(0, 0.6)[:, None, None, None]
    rgb, found = painted(points, s.colour, s.there, size, recordable)
    joints = framed(s.joints)
    middle = joints[..., 0, 0].mean(0)                                     # [k, 2]
    second_left = s.there[:, 1] & (middle[:, 1] < middle[:, 0])
    joints = torch.where(second_left[:, None, None, None], joints.flip(2), joints)
    seen = (joints.abs().amax(-1) < 1.05) & s.there[..., None]
    facing = torch.where(second_left, s.facing[:, 1], s.facing[:, 0])
    acts_left = torch.where(motions.acts < 0, motions.acts, motions.acts ^ second_left.long())
    return torch.where(found, rgb, frames * (1 - shade)), (joints, seen, torch.stack([facing.cos(), facing.sin()], 1), acts_left)


def colours(frames, dice):
    """Brightness, saturation, contrast of the clip; a little flicker."""
    wide = lambda v: v[:, None, None, None]
    gain = dice(0.7, 1.3) * (1 + 0.03 * torch.randn(len(frames), dice.clips, device=frames.device))
    x = frames * gain[..., None, None, None]
    grey = x.mean(2, keepdim=True)
    x = grey + (x - grey) * wide(dice(0.4, 1.3))
    mean = x.mean((0, 2, 3, 4), keepdim=True)
    return (mean + (x - mean) * wide(dice(0.7, 1.3))).clamp(0, 1)


def blurred(frames, dice):
    """Some clips at half the resolution, some with frames that linger."""
    half = F.avg_pool2d(frames.flatten(0, 1), 2)
    soft = F.interpolate(half, scale_factor=2.0, mode='bilinear', align_corners=False).unflatten(0, frames.shape[:2])
    x = torch.lerp(frames, soft, (dice(0, 1.0) * dice.often(0.6))[:, None, None, None])
    before = torch.cat([x[:1], x[:-1]])
    return torch.lerp(x, before, (dice(0, 0.4) * dice.often(0.2))[:, None, None, None])


def block_cosines(device):
    k = torch.arange(8, device=device, dtype=torch.float32)
    basis = torch.cos(math.pi * (2 * k + 1) * k[:, None] / 16) / 2
    return torch.cat([basis[:1] / math.sqrt(2), basis[1:]])


def compress(frames):
    """Rounds every second clip as video coders do: cosines of blocks of 8 x 8, the fine ones most. Sides are multiples of 8."""
    part = frames[:, ::2]
    dice, basis, shape = Dice(part.shape[1], frames.device), block_cosines(frames.device), part.shape
    step = torch.exp(dice(math.log(0.003), math.log(0.04)))
    k = torch.arange(8, device=frames.device)
    steps = step[:, None, None, None, None, None] * (1 + k[:, None, None] + k)           # [B, 1, 1, 8, 1, 8]
    blocks = part.unflatten(4, (-1, 8)).unflatten(3, (-1, 8))              # [T, B, 3, n, 8, m, 8]
    waves = torch.einsum('ij,tbcnjmk,lk->tbcniml', basis, blocks, basis)
    waves = torch.round(waves / steps) * steps
    frames[:, ::2] = torch.einsum('ij,tbcnimk,kl->tbcnjml', basis, waves, basis).reshape(shape).clamp(0, 1)


def make(pictures, index, motions, surface, size, frames=8, photos=None, photo_clips=0, recordable=False):
    """
    Pictures' bytes and indices [B], motion of k clips, photographs for m more, k + m <= B -> Lesson. `recordable`: no shape depends
    on values.
    """
    device, k, m = index.device, motions.people.shape[0], photo_clips
    dice, path, cells = Dice(len(index), device), Path(frames, Dice(len(index), device)), grid(size, device)
    behind = lambda clips: Shot(Dice(len(index[clips]), device)).of(pictures, index[clips], path.of(clips), cells)
    drawn_on, plain = behind(slice(k)), behind(slice(k + m, None))
    parts = [drawn_on, plain]
    if m:
        photo, photo_joints, photo_seen = photographed(photos, m, path.of(slice(k, k + m)), cells)
        parts = [drawn_on, photo, plain]
    x = torch.cat(parts, 1)
    add_things(x, pictures, path, cells, step=4)
    x[:, :k], (joints, seen, *facts) = add_people(x[:, :k], motions, surface, path.of(slice(k)), Dice(k, device), recordable)
    if m:
        joints, seen = torch.cat([joints, photo_joints], 1), torch.cat([seen, photo_seen], 1)
    add_things(x, pictures, path, cells, step=5)
    x = blurred(colours(x, dice), dice)
    compress(x)
    x = (x + torch.randn_like(x) * (dice(0, 0.03) * dice.often(0.5))[:, None, None, None]).clamp(0, 1)
    return Lesson(x, index, path.change, joints, seen, *facts)
