"""Captured joints -> bodies before a camera: joints in the frame, and coloured, lit points of their surfaces.

Arrays begin with [T, B, 2]: frames, clips, the two places for people. World axes: x right, y up, z towards the camera; metres.
"""
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from constants import constant

LEFT, RIGHT = (6, 7, 8, 9, 14, 15, 16, 17), (10, 11, 12, 13, 18, 19, 20, 21)
MIRRORED = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 6, 7, 8, 9, 18, 19, 20, 21, 14, 15, 16, 17)
AS_LEFT = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 6, 7, 8, 9, 14, 15, 16, 17, 14, 15, 16, 17)
PROP = 22                          # the bone after the last joint's: something held in the right hand

#        bone that ends here: radius across and from front to back at its start and end (m), what it wears
SHAPE = {1: (.165, .12, .15, .11, 'top'), 2: (.15, .11, .17, .125, 'top'), 3: (.17, .11, .075, .07, 'top'),
         4: (.055, .06, .055, .06, 'skin'), 5: (.075, .09, .07, .085, 'head'),
         6: (.07, .08, .06, .065, 'top'), 7: (.055, .055, .045, .045, 'sleeve'),
         8: (.042, .042, .032, .03, 'forearm'), 9: (.04, .025, .035, .02, 'skin'),
         14: (.11, .11, .1, .1, 'legs'), 15: (.095, .095, .06, .06, 'legs'),
         16: (.06, .06, .045, .045, 'shin'), 17: (.045, .05, .04, .035, 'shoes'),
         PROP: (.03, .03, .03, .03, 'prop')}
SHAPE.update({r: SHAPE[l] for l, r in zip(LEFT, RIGHT)})
LENGTH = {1: .12, 2: .22, 4: .1, 5: .22, 6: .18, 9: .17, 10: .18, 13: .17, 14: .1, 15: .42, 16: .42, 18: .1, 19: .42, 20: .42, PROP: .5}
WEARS = ['top', 'legs', 'shoes', 'sleeve', 'forearm', 'shin', 'skin', 'head', 'hair', 'prop']
SKINS = (.93, .77, .67), (.8, .6, .46), (.58, .4, .28), (.36, .25, .18)


class Surface(NamedTuple):
    """Points of a body's surface, the same for everybody: bone, place along it, angle around it."""
    bone: torch.Tensor             # [K] index of the joint where the bone ends, or PROP
    along: torch.Tensor            # [K] 0..1
    cos: torch.Tensor              # [K] around the bone: 1 is the left, the sine is 1 in front
    sin: torch.Tensor
    radii: torch.Tensor            # [K, 2] across and from front to back at that place
    wears: torch.Tensor            # [K] index into WEARS
    parents: torch.Tensor          # [23]
    chain: torch.Tensor            # [22, 22] adds up bones from the hips to each joint


def surface(parents, points, device):
    """Spreads about `points` evenly over an average body."""
    length = {j: LENGTH.get(j, .25) for j in SHAPE}
    area = {j: (length[j] + SHAPE[j][0]) * (sum(SHAPE[j][:4])) for j in SHAPE}
    bone, along, angle = [], [], []
    for j in SHAPE:
        count = max(24, round(points * area[j] / sum(area.values())))
        k = np.arange(count)
        bone.append(np.full(count, j))
        along.append((k + 0.5) / count)
        angle.append(k * math.pi * (3 - math.sqrt(5)))                     # the golden angle: even without a grid
    bone, along, angle = np.concatenate(bone), np.concatenate(along), np.concatenate(angle)
    shapes = np.array([SHAPE[j][:4] for j in bone])
    radii = shapes[:, :2] * (1 - along[:, None]) + shapes[:, 2:] * along[:, None]
    wears = np.array([WEARS.index(SHAPE[j][4]) for j in bone])
    hair = (bone == 5) & ((np.sin(angle) < -0.1) | (along > 0.8))
    wears[hair] = WEARS.index('hair')
    chain = np.eye(22)
    for j in range(1, 22):
        chain[j] += chain[parents[j]]
    tensor = lambda a, dtype=torch.float32: torch.as_tensor(a, dtype=dtype, device=device)
    starts = tensor([*(max(p, 0) for p in parents), 12], torch.long)
    around = tensor(np.cos(angle)), tensor(np.sin(angle))
    return Surface(tensor(bone, torch.long), tensor(along), *around, tensor(radii), tensor(wears, torch.long), starts, tensor(chain))


class Dice:
    """Uniform random numbers of one clip each, ready to be multiplied with [T, B, ...]."""

    def __init__(self, clips, device):
        self.clips, self.device = clips, device

    def __call__(self, low, high, *more):
        return torch.rand(self.clips, *more, device=self.device) * (high - low) + low

    def often(self, share, *more):
        return torch.rand(self.clips, *more, device=self.device) < share


class Scene(NamedTuple):
    joints: torch.Tensor           # [T, B, 2, 22, 2] x right, y down, -1..1 the frame
    points: torch.Tensor           # [T, B, 2, K, 3] the same of surface points, and metres from the camera
    shadow: torch.Tensor           # [T, B, 2, K/4, 2]
    colour: torch.Tensor           # [T, B, 2, K, 3] lit
    there: torch.Tensor            # [B, 2] whether the place is taken
    facing: torch.Tensor           # [B, 2] angle of the bodies' front, 0 towards the camera


def rotate(a, b, angle):
    c, s = torch.cos(angle), torch.sin(angle)
    return c * a + s * b, c * b - s * a


def proportions(xyz, s, dice):
    """Bones of other lengths, left as right; the whole body smaller or larger."""
    scale = dice(0.88, 1.14, 2, 22).index_select(-1, constant(AS_LEFT, xyz.device, torch.long))
    bones = (xyz - xyz.index_select(-2, s.parents[:22])) * scale[..., None]
    bones = torch.cat([xyz[..., :1, :], bones[..., 1:, :]], -2)
    size = dice(0.85, 1.1)[:, None, None, None] * dice(0.93, 1.07, 2)[..., None, None]
    return s.chain @ bones * size


def placed(xyz, people, dice):
    """Around the middle of who acts; a passer-by goes his own way beside; half of all scenes mirrored; all seen from any side."""
    ground = xyz[..., 0, :].mean(0) * constant((1., 0., 1.), xyz.device)   # [B, 2, 3]
    pair = (people == 2)[:, None]
    centre = torch.where(pair, ground.mean(1), ground[:, 0])
    own = xyz[:, :, 1] - ground[:, 1, None]
    x, z = rotate(own[..., 0], own[..., 2], dice(-math.pi, math.pi)[:, None])
    away, far = dice(-math.pi, math.pi)[:, None], dice(0.7, 2.5)[:, None]
    passing = torch.stack([x + far * torch.cos(away), own[..., 1], z + far * torch.sin(away)], -1)
    first = xyz[:, :, 0] - centre[:, None]
    second = torch.where(pair[..., None], xyz[:, :, 1] - centre[:, None], passing)
    xyz = torch.stack([first, second], 2)
    swapped = xyz.index_select(-2, constant(MIRRORED, xyz.device, torch.long)) * constant((-1., 1., 1.), xyz.device)
    return torch.where(dice.often(0.5)[:, None, None, None], swapped, xyz)


class Camera:
    """Somewhere around, a little above; people fill between half and more than the whole of the frame."""

    def __init__(self, people, dice):
        wide = lambda v: v[:, None, None]
        self.yaw, self.pitch, self.roll = wide(dice(-math.pi, math.pi)), wide(dice(-0.12, 0.55)), wide(dice(-0.08, 0.08))
        self.distance = wide(dice(2.5, 9))
        height = torch.exp(dice(math.log(0.6), math.log(1.4))) * torch.where(people == 2, 0.85, 1.0)
        self.zoom = wide(height) * self.distance                           # half the frame's height at 1 m, of 1.75 m people
        self.squeeze = wide(torch.where(dice.often(0.5), dice(0.55, 1), torch.ones_like(height)))      # a wide frame made square
        self.x, self.y, self.eye = wide(dice(-0.25, 0.25)), wide(dice(-0.15, 0.15)), wide(dice(0.75, 1.05))

    def turned(self, v):
        """World -> camera axes, [.., 3]; for points and directions of [T, B, 2, n, 3]."""
        x, y, z = v.unbind(-1)
        x, z = rotate(x, z, self.yaw)
        z, y = rotate(z, y, self.pitch)
        y, x = rotate(y, x, self.roll)
        return torch.stack([x, y, z], -1)

    def seen(self, v):
        """World -> x, y in the frame and the distance."""
        x, y, z = self.turned(v - torch.stack([self.eye * 0, self.eye, self.eye * 0], -1)).unbind(-1)
        away = (self.distance - z).clamp(min=0.3)
        return torch.stack([x * self.zoom * self.squeeze / away + self.x, -y * self.zoom / away + self.y, away], -1)


def skeleton(xyz, s, dice):
    """Bones as starts, directions and lengths, [T, B, 2, 23, ...], with a thing in some right hands."""
    hand = F.normalize(xyz[..., 13, :] - xyz[..., 12, :], dim=-1)
    up = constant((0., 1., 0.), xyz.device).expand_as(hand)
    side = F.normalize(torch.cross(hand, up, dim=-1) + 1e-4, dim=-1)
    tilt = dice(-1.2, 1.2, 2)[..., None]
    tip = xyz[..., 13, :] + (hand * torch.cos(tilt) + side * torch.sin(tilt)) * dice(0.05, 0.8, 2)[..., None]
    ends = torch.cat([xyz, tip[..., None, :]], -2)
    starts = ends.index_select(-2, s.parents)
    starts = torch.cat([starts[..., :PROP, :], xyz[..., 13:14, :]], -2)
    bones = ends - starts
    length = bones.norm(dim=-1).clamp(min=1e-3)
    return starts, bones / length[..., None], length


def surface_points(xyz, s, dice):
    """-> points and normals [T, B, 2, K, 3]."""
    starts, axis, length = skeleton(xyz, s, dice)
    across = F.normalize(xyz[..., 14, :] - xyz[..., 18, :] + 0.7 * (xyz[..., 6, :] - xyz[..., 10, :]), dim=-1)[..., None, :]
    left = across - (across * axis).sum(-1, keepdim=True) * axis
    other = torch.stack([axis[..., 1], axis[..., 2], axis[..., 0]], -1)    # where the bone itself lies across
    other = other - (other * axis).sum(-1, keepdim=True) * axis
    left = F.normalize(torch.where(left.norm(dim=-1, keepdim=True) > 0.15, left, other), dim=-1)
    front = torch.cross(left, axis, dim=-1)
    fat = dice(0.85, 1.3, 2, 1) * dice(0.9, 1.15, 2, 23)
    fat[..., PROP] *= dice(0.5, 3, 2)
    radii = s.radii * fat[..., s.bone, None]                               # [B, 2, K, 2]
    starts, axis, length, left, front = (v.index_select(3, s.bone) for v in (starts, axis, length, left, front))
    cap = radii[..., 1] * 0.8
    along = s.along * (length + 2 * cap) - cap                             # a round end at either side
    over = (torch.maximum(-along, along - length) / cap).clamp(0, 0.98)
    slim = (1 - over ** 2).sqrt()
    a, b = slim * s.cos * radii[..., 0], slim * s.sin * radii[..., 1]
    points = starts + axis * along[..., None] + left * a[..., None] + front * b[..., None]
    ends = over * torch.where(along < 0, -1.0, 1.0)
    normals = left * (slim * s.cos)[..., None] + front * (slim * s.sin)[..., None] + axis * ends[..., None]
    return points, normals


def clothes(s, dice):
    """Colours of the surface points, [B, 2, K, 3]: plain, striped or checked tops and legs, bare or covered arms and shins."""
    device = s.along.device
    cloth = torch.rand(dice.clips, 2, len(WEARS), 3, device=device) * 0.9 + 0.05
    skin = constant(SKINS, device)[torch.randint(len(SKINS), (dice.clips, 2), device=device)]
    bare = lambda share, yes, no: torch.where(dice.often(share, 2, 1), yes, no)
    w = dict(zip(WEARS, cloth.unbind(2)))
    w['skin'] = w['head'] = skin
    w['sleeve'] = bare(0.25, skin, w['top'])
    w['forearm'] = bare(0.5, skin, w['sleeve'])
    w['shin'] = bare(0.3, skin, w['legs'])
    w['hair'] = w['hair'] * 0.5
    w['legs'] = bare(0.15, w['top'], w['legs'])
    colour = torch.stack([w[name] for name in WEARS], 2)[:, :, s.wears]
    angle = torch.atan2(s.sin, s.cos)
    rings = torch.sin(s.along * dice(6, 40, 2, 1)) > 0
    lengthwise = torch.sin(angle * torch.round(dice(2, 6, 2, 1))) > 0
    pattern = (rings & dice.often(0.25, 2, 1)) ^ (lengthwise & dice.often(0.15, 2, 1))
    pattern = pattern & (s.wears < WEARS.index('skin'))
    return colour * (1 - 0.5 * (pattern * dice(0, 1, 2, 1))[..., None])


def scene(xyz, people, s, dice):
    """Tracks [T, B, 2, 22, 3] and who is there [B] (see motion.Windows) -> Scene."""
    there = torch.stack([people > 0, people > 1], 1)
    xyz = placed(proportions(xyz, s, dice), people, dice)
    camera = Camera(people, dice)
    points, normals = surface_points(xyz, s, dice)
    sun = F.normalize(torch.stack([dice(-1, 1), dice(0.5, 1.5), dice(-1, 1)], -1), dim=-1)[:, None, None]
    ambient = dice(0.4, 0.85)[:, None, None, None]
    lit = ambient + (1 - ambient) * (normals * sun).sum(-1, keepdim=True).clamp(min=0)
    tint = 1 + 0.25 * (torch.rand(dice.clips, 3, device=xyz.device) - 0.5)
    colour = (clothes(s, dice) * lit * tint[:, None, None]).clamp(0, 1)
    some = points[:, :, :, ::4]
    floor = some - sun * (some[..., 1:2] / sun[..., 1:2])
    across = camera.turned(xyz[..., 14, :][..., None, :] - xyz[..., 18, :][..., None, :])[..., 0, :]
    facing = torch.atan2(across[..., 2].mean(0), across[..., 0].mean(0))
    holds = dice.often(0.3, 2)
    seen = camera.seen(points)
    hidden = (s.bone == PROP) & ~holds[..., None]
    seen = torch.cat([seen[..., :2], torch.where(hidden, 1e3, seen[..., 2])[..., None]], -1)
    return Scene(camera.seen(xyz)[..., :2], seen, camera.seen(floor)[..., :2], colour, there, facing)
