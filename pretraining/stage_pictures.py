"""The stage of pictures: crops with labels, the picture teacher looking at the same crops."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from bodies import Dice
from clips import colours
from objectives import Standard
from stage_clips import normalised


def crops(tiles, index, size, dice, least=0.25):
    """A part of each tile, of random size and shape, some mirrored -> [B, 3, size, size], 0..1."""
    area, shape = dice(least, 1), torch.exp(dice(-1, 1) * math.log(4 / 3))
    wide, high = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    flip, none = torch.where(dice.often(0.5), -1.0, 1.0), torch.zeros_like(area)
    rows = torch.stack([wide * flip, none, (1 - wide) * dice(-1, 1), none, high, (1 - high) * dice(-1, 1)], 1)
    grid = F.affine_grid(rows.view(-1, 2, 3), (len(index), 3, size, size), align_corners=False)
    return F.grid_sample(tiles[index].float() / 255, grid, mode='bilinear', padding_mode='reflection', align_corners=False)


class PictureStage:
    motions = []

    def __init__(self, options, pictures, picture_teacher, device):
        self.o, self.pictures, self.teacher, self.device = options, pictures, picture_teacher, device
        self.standard = nn.ModuleDict(dict(features=Standard(1280), middle=Standard(96))).to(device)

    def facts(self):
        return dict(pictures=len(self.pictures.train), classes=len(self.pictures.kept))

    def prepare(self):
        """The host decides nothing here."""

    def answers(self, x):
        size = self.o.teacher_size
        x = F.interpolate(x, size=(size, size), mode='bilinear', align_corners=False) * 2 - 1
        seen = self.teacher(x, len(x), ['logits', 'features32', 'features16'])
        return seen['logits'][:, 1:].softmax(1), seen['features32'].mean((2, 3)), seen['features16']

    def losses(self, student):
        n = self.o.batch
        with torch.no_grad():
            dice, index = Dice(n, self.device), torch.randint(len(self.pictures.train), (n,), device=self.device)
            x = colours(crops(self.pictures.train, index, self.o.sizes[0], dice)[None], dice)[0]
            second = torch.arange(n, device=self.device) < n // 2          # half of the batch is mixed with its neighbour
            keep = torch.where(second, 1 - dice(0, 0.5), torch.ones(n, device=self.device))
            x = torch.lerp(x.roll(1, 0), x, keep[:, None, None, None])
            soft, features, middle = self.answers(x)
            label = self.pictures.label[index]
            x = normalised(x)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == 'cuda', cache_enabled=False):
            seen = student(x, n)
            guess, guess_middle = student.picture_features(seen.pooled), student.picture_middle(seen.middle)
            chances = F.log_softmax(student.picture(seen.hidden).float(), 1)
            named = keep * chances.gather(1, label[:, None])[:, 0] + (1 - keep) * chances.gather(1, label.roll(1)[:, None])[:, 0]
            cells = F.adaptive_avg_pool2d(middle, seen.middle.shape[-2:]).permute(0, 2, 3, 1)
            wanted = self.standard['middle'](cells.reshape(-1, 96)).view(cells.shape)
            losses = dict(
                picture=F.kl_div(chances, soft, reduction='batchmean'), label=-named.mean(),
                features=F.smooth_l1_loss(guess.float(), self.standard['features'](features)),
                middle=F.smooth_l1_loss(guess_middle.float().permute(0, 2, 3, 1), wanted))
        return losses, {}

    @torch.no_grad()
    def measure(self, student):
        """Top-1 over the 200 classes on the validation tiles, whole; on a CPU on a tenth of them."""
        val, label = self.pictures.val, self.pictures.val_label
        if self.device.type == 'cpu':
            val, label = val[::10], label[::10]
        right, size = 0, self.o.sizes[0]
        for x, y in zip(val.split(250), label.split(250)):
            x = F.interpolate(x.float() / 255, size=(size, size), mode='bilinear', align_corners=False)
            logits = student.picture(student(normalised(x), len(x)).hidden)[:, self.pictures.kept]
            right += (self.pictures.kept[logits.argmax(1)] == y).sum().item()
        return dict(val_top1=round(100 * right / len(val), 2), measured=len(val))
