"""The student: Video Mobile-Former with heads for everything it is taught.

Maps are [T*B, C, h, w], frame t of clip b at t * B + b, channels last: every convolution is a 2-D one, and the neighbours of a frame
in time are a slice away. Parameters are named as the project's checkpoints name their tensors.
"""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


def lite(expand, out, stride):
    return dict(kind='lite', expand=expand, out=out, stride=stride, temporal=3)


def mf(expand, out):
    return dict(kind='mf', expand=expand, out=out, temporal=3)


def down(expand, out):
    return dict(kind='down', expand=expand, expand2=4, out=out, temporal=3)


def layout(name, stem, tokens, width, head, blocks):
    names = dict(family='video-mobile-former', name=name, layout=name)
    return dict(names, stem=stem, tokens=tokens, tokenDim=width, head=head, groups=1, dropout=0.2, blocks=blocks)


LAYOUTS = {
    '52m': layout('52m', 8, 3, 128, 1024, [
        lite(3, 12, 2), mf(3, 12), down(6, 24), mf(3, 24), down(6, 48), mf(4, 48), mf(6, 64), down(6, 96), mf(6, 96)]),
    '96m': layout('96m', 12, 4, 128, 1280, [
        lite(2, 12, 1), down(6, 16), down(6, 32), mf(3, 32), down(6, 64), mf(4, 64), mf(6, 88), down(6, 128), mf(6, 128)]),
    '214m': layout('214m', 12, 6, 192, 1600, [
        lite(2, 12, 1), down(6, 20), mf(3, 20), down(6, 40), mf(4, 40), down(6, 80), mf(4, 80), mf(6, 112), mf(6, 112),
        down(6, 160), mf(6, 160), mf(6, 160)]),
}

# ------------------------------------------------------------------------------------------------------------------ convolutions


class Kernel(nn.Module):
    """A kernel [out, in / groups, time, k, k]; He's initialisation over what it adds up."""

    def __init__(self, out, into, time, k):
        super().__init__()
        spread = (2 / (time * k * k * out)) ** 0.5
        self.weight = nn.Parameter(torch.randn(out, into, time, k, k) * spread)


class TimeDepthwise(torch.autograd.Function):
    """Depthwise convolution 3 long in time as three 2-D ones that add into one result. `clips` maps make a frame."""

    @staticmethod
    def forward(ctx, x, kernels, clips, stride):
        ctx.save_for_backward(x, kernels)
        ctx.clips, ctx.stride = clips, stride
        groups = x.shape[1]
        y = F.conv2d(x, kernels[1], None, stride, 1, 1, groups)
        y[clips:] += F.conv2d(x[:-clips], kernels[0], None, stride, 1, 1, groups)
        y[:-clips] += F.conv2d(x[clips:], kernels[2], None, stride, 1, 1, groups)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, kernels = ctx.saved_tensors
        n, options = ctx.clips, ([ctx.stride] * 2, [1, 1], [1, 1], False, [0, 0], x.shape[1], [True, True, False])
        dy = dy.to(x.dtype)
        part = lambda d, into, j: torch.ops.aten.convolution_backward(d, into, kernels[j], None, *options)[:2]
        dx, same = part(dy, x, 1)
        earlier, before = part(dy[n:], x[:-n], 0)
        dx[:-n] += earlier
        later, after = part(dy[:-n], x[n:], 2)
        dx[n:] += later
        return dx, torch.stack([before, same, after]), None, None


class ConvNorm(nn.Module):
    """Convolution, 'same' padding, no bias, then batch norm. Depthwise ones may be 3 long in time and have more outputs."""

    def __init__(self, into, out, k=1, stride=1, depthwise=False, time=1):
        super().__init__()
        self.conv, self.bn = Kernel(out, 1 if depthwise else into, time, k), nn.BatchNorm2d(out)
        self.stride, self.depthwise, self.time, self.pad = stride, depthwise, time, k // 2

    def forward(self, x, clips):
        w = self.conv.weight
        if not self.depthwise:
            return self.bn(F.conv2d(x, w[:, :, 0], None, self.stride, self.pad))
        if len(w) > x.shape[1]:                                           # oneDNN has no fast code for several outputs an input
            x = repeat_channels(x, len(w) // x.shape[1])
        if self.time == 1 or len(x) == clips:
            return self.bn(F.conv2d(x, w[:, :, self.time // 2], None, self.stride, 1, 1, len(w)))
        kernels = w.permute(2, 0, 1, 3, 4)
        if torch.is_autocast_enabled():
            x, kernels = x.to(torch.get_autocast_gpu_dtype()), kernels.to(torch.get_autocast_gpu_dtype())
        return self.bn(TimeDepthwise.apply(x, kernels, clips, self.stride))


def repeat_channels(x, times):
    n, c, h, w = x.shape
    wide = x.permute(0, 2, 3, 1)[..., None].expand(n, h, w, c, times)
    return wide.reshape(n, h, w, c * times).permute(0, 3, 1, 2)


class DynamicRelu(nn.Module):
    """max(a1 x, a2 x), the slopes a clip's and channel's own, from token 0."""

    def __init__(self, width, channels):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, width // 4), nn.Linear(width // 4, 2 * channels)

    def forward(self, x, z):
        slopes = F.hardsigmoid(self.fc2(F.relu(self.fc1(z[:, 0])))).to(x.dtype)
        first, second = slopes.repeat(len(x) // len(z), 1)[:, :, None, None].chunk(2, 1)
        a2 = 2 * second - 1
        return torch.addcmul(F.relu((2 * first - a2) * x), a2, x)

# ------------------------------------------------------------------------------------------------------ tokens and the two bridges


def positions(x, clips):
    """[T*B, C, h, w] -> [T, B, h*w, C], no copy."""
    return x.permute(0, 2, 3, 1).reshape(len(x) // clips, clips, -1, x.shape[1])


def per_head(t, count):
    """[B, M, C] -> [B, count*M, C]: the rows once a head, zero outside the head's channels."""
    size = t.shape[-1] // count
    return torch.cat([F.pad(t[..., h * size:(h + 1) * size], (h * size, t.shape[-1] - (h + 1) * size)) for h in range(count)], 1)


class MobileToFormer(nn.Module):
    """Tokens look at all positions of the clip; a gate weighs what they find."""

    def __init__(self, width, channels):
        super().__init__()
        self.query, self.gate, self.out = nn.Linear(width, channels), nn.Linear(width, channels), nn.Linear(channels, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x, z):
        seen, half, m = positions(x, len(z)), x.shape[1] // 2, z.shape[1]
        query = per_head(self.query(z) * half ** -0.5, 2).to(x.dtype)
        scores = query @ seen.transpose(2, 3)                              # [T, B, 2M, h*w]
        weights = scores.permute(1, 2, 0, 3).flatten(2).softmax(2).unflatten(2, (len(seen), -1)).permute(2, 0, 1, 3)
        found = (weights.to(x.dtype) @ seen).sum(0)                        # [B, 2M, C]
        found = torch.cat([found[:, :m, :half], found[:, m:, half:]], 2)
        return self.norm(z + self.out(found * 2 * F.hardsigmoid(self.gate(z))))


class Former(nn.Module):
    """Self-attention of the tokens with 4 heads (only the query is projected), then two layers."""

    def __init__(self, width):
        super().__init__()
        self.query, self.out, self.norm1 = nn.Linear(width, width), nn.Linear(width, width), nn.LayerNorm(width)
        self.ffn_in, self.ffn_out, self.norm2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width), nn.LayerNorm(width)

    def forward(self, z):
        heads = lambda t: t.unflatten(-1, (4, -1)).transpose(1, 2)
        own, query = heads(z), heads(self.query(z))
        found = (query @ own.transpose(2, 3).to(query.dtype) * own.shape[-1] ** -0.5).softmax(3).to(own.dtype) @ own
        z = self.norm1(z + self.out(found.transpose(1, 2).flatten(2)))
        return self.norm2(z + self.ffn_out(F.gelu(self.ffn_in(z))))


class FormerToMobile(nn.Module):
    """Every position looks at the tokens."""

    def __init__(self, width, channels):
        super().__init__()
        self.key, self.value = nn.Linear(width, channels), nn.Linear(width, channels)

    def forward(self, x, z):
        query = positions(x, len(z))
        key, value = per_head(self.key(z) * (x.shape[1] // 2) ** -0.5, 2), per_head(self.value(z), 2)
        scores = query @ key.to(x.dtype).transpose(1, 2)                   # [T, B, h*w, 2M]
        weights = scores.unflatten(3, (2, -1)).softmax(4).flatten(3).to(x.dtype)
        n, c, h, w = x.shape
        return (query + weights @ value.to(x.dtype)).reshape(n, h, w, c).permute(0, 3, 1, 2)

# ------------------------------------------------------------------------------------------------------------------------ blocks


class Lite(nn.Module):
    def __init__(self, block, into, width):
        super().__init__()
        wide = into * block['expand']
        self.conv1 = ConvNorm(into, wide, 3, block['stride'], True, block['temporal'])
        self.conv2 = ConvNorm(wide, block['out'])

    def forward(self, x, z):
        y = self.conv2(F.relu6(self.conv1(x, len(z))), len(z))
        return (x + y if x.shape == y.shape else y), z


class Mobile(nn.Module):
    """A block with tokens, of stride 1 (`mf`) or 2 (`down`)."""

    def __init__(self, block, into, width):
        super().__init__()
        out, wide, time, self.down = block['out'], into * block['expand'], block['temporal'], block['kind'] == 'down'
        self.mobile_to_former, self.former = MobileToFormer(width, into), Former(width)
        self.former_to_mobile = FormerToMobile(width, out)
        self.act1 = DynamicRelu(width, wide)
        if self.down:
            wider = out * block['expand2']
            self.conv1, self.conv2 = ConvNorm(into, wide, 3, 2, True, time), ConvNorm(wide, out)
            self.conv3, self.conv4 = ConvNorm(out, wider, 3, 1, True, time), ConvNorm(wider, out)
            self.act2 = DynamicRelu(width, wider)
        else:
            self.conv1, self.conv2, self.conv3 = ConvNorm(into, wide), ConvNorm(wide, wide, 3, 1, True, time), ConvNorm(wide, out)
            self.act2 = DynamicRelu(width, wide)

    def forward(self, x, z):
        z, n = self.former(self.mobile_to_former(x, z)), len(z)
        if self.down:
            u = self.conv2(self.act1(self.conv1(x, n), z), n)
            y = u + self.conv4(self.act2(self.conv3(u, n), z), n)
        else:
            y = self.conv3(self.act2(self.conv2(self.act1(self.conv1(x, n), z), n), z), n)
            y = x + y if x.shape == y.shape else y
        return self.former_to_mobile(y, z), z


class Head(nn.Module):
    def __init__(self, config, channels):
        super().__init__()
        self.conv, self.bn = ConvNorm(channels, 6 * channels), nn.BatchNorm1d(config['head'])
        self.fc1 = nn.Linear(6 * channels + config['tokenDim'], config['head'])

    def forward(self, x, z):
        """-> pooled [B, 6C] and hidden [B, F]."""
        frames = F.relu6(self.conv(x, len(z))).float().mean((2, 3)).unflatten(0, (-1, len(z)))
        pooled = frames.mean(0)
        return pooled, F.hardswish(self.bn(self.fc1(torch.cat([F.hardswish(pooled), z[:, 0].float()], 1)).float()))


class Seen(NamedTuple):
    hidden: torch.Tensor          # [B, F], what a classifier reads
    pooled: torch.Tensor          # [B, 6C], the last map averaged over the clip
    middle: torch.Tensor          # [T*B, C16, h/16, w/16], the last map of that size


class Backbone(nn.Module):
    """The network up to the layer before the classifier."""

    def __init__(self, config):
        super().__init__()
        width, channels = config['tokenDim'], config['stem']
        self.stem, self.tokens = ConvNorm(3, channels, 3, 2), nn.Parameter(torch.randn(config['tokens'], width))
        self.blocks, reduced = nn.ModuleList(), 2
        for i, block in enumerate(config['blocks']):
            self.blocks.append((Lite if block['kind'] == 'lite' else Mobile)(block, channels, width))
            channels, reduced = block['out'], reduced * (block.get('stride', 1) if block['kind'] != 'down' else 2)
            if reduced == 16:
                self.middle, self.middle_channels = i, channels
        self.bridge, self.head = MobileToFormer(width, channels), Head(config, channels)
        self.pooled, self.hidden = 6 * channels, config['head']

    def forward(self, x, clips):
        """x [T*B, 3, H, W], normalised."""
        x, z = F.relu6(self.stem(x, clips)), self.tokens.expand(clips, -1, -1)
        for i, block in enumerate(self.blocks):
            x, z = block(x, z)
            if i == self.middle:
                middle = x
        pooled, hidden = self.head(x, self.bridge(x, z))
        return Seen(hidden, pooled, middle)


FACTS = dict(reversed=1, acts_left=1, speed=1, view=2, camera=4)


class Student(nn.Module):
    """The backbone and one linear head for each thing it is taught."""

    GRID = 6                       # cells a side in which the joints are looked for

    def __init__(self, config, motions, people=2, joints=22):
        super().__init__()
        self.config, self.net = config, Backbone(config)
        hidden, pooled = self.net.hidden, self.net.pooled
        self.picture, self.motion = nn.Linear(hidden, 1000), nn.Linear(hidden, motions)
        self.facts = nn.Linear(hidden, sum(FACTS.values()))
        self.joints = nn.Linear(self.net.middle_channels * self.GRID ** 2, people * joints * 2)
        self.picture_features, self.picture_middle = nn.Linear(pooled, 1280), nn.Conv2d(self.net.middle_channels, 96, 1)
        self.video_logits, self.video_frames = nn.Linear(hidden, 400), nn.Linear(pooled + hidden, 432)

    def forward(self, x, clips):
        return self.net(x, clips)

    def where(self, middle):
        """The last map of 1/16 -> joints [T*B, people, joints, 2] in -1..1 of the frame."""
        cells = F.adaptive_avg_pool2d(middle, self.GRID).flatten(1)
        return self.joints(cells).float().unflatten(1, (-1, 22, 2))
