"""Video Mobile-Former in PyTorch as one would write it first: modules, 3-D convolutions, batch norm as it is. Not meant to be fast.

Maps are [B, C, T, h, w]. Modules are named as the project's checkpoints name their tensors, so those load as a state dict.
Pointwise convolutions in groups are not supported: no benchmark needs them.
"""
import torch
import torch.nn.functional as F
from torch import nn


class ConvNorm(nn.Module):
    def __init__(self, into, out, kernel=1, temporal=1, stride=1, groups=1):
        super().__init__()
        padding = (temporal // 2, kernel // 2, kernel // 2)
        self.conv = nn.Conv3d(into, out, (temporal, kernel, kernel), (1, stride, stride), padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm3d(out)

    def forward(self, x):
        return self.bn(self.conv(x))


def heads(x, count):                                                   # [B, N, C] -> [B, heads, N, C / heads]
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def attend(q, k, v):                                                   # -> [B, N, C]
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def positions(x):                                                      # [B, C, T, h, w] -> [B, T*h*w, C]
    return x.flatten(2).transpose(1, 2)


class MobileToFormer(nn.Module):
    def __init__(self, dim, channels):
        super().__init__()
        self.query, self.gate, self.out = nn.Linear(dim, channels), nn.Linear(dim, channels), nn.Linear(channels, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x, z):
        seen = heads(positions(x), 2)
        found = attend(heads(self.query(z), 2), seen, seen)
        return self.norm(z + self.out(found * 2 * F.hardsigmoid(self.gate(z))))


class Former(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.query, self.out, self.norm1 = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.LayerNorm(dim)
        self.ffn_in, self.ffn_out, self.norm2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim), nn.LayerNorm(dim)

    def forward(self, z):
        own = heads(z, 4)
        z = self.norm1(z + self.out(attend(heads(self.query(z), 4), own, own)))
        return self.norm2(z + self.ffn_out(F.gelu(self.ffn_in(z))))


class FormerToMobile(nn.Module):
    def __init__(self, dim, channels):
        super().__init__()
        self.key, self.value = nn.Linear(dim, channels), nn.Linear(dim, channels)

    def forward(self, x, z):
        found = attend(heads(positions(x), 2), heads(self.key(z), 2), heads(self.value(z), 2))
        return x + found.transpose(1, 2).reshape(x.shape)


class DynamicRelu(nn.Module):
    def __init__(self, dim, channels):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, dim // 4), nn.Linear(dim // 4, 2 * channels)

    def forward(self, x, z):
        theta = F.hardsigmoid(self.fc2(F.relu(self.fc1(z[:, 0]))))
        first, second = theta[:, :, None, None, None].chunk(2, 1)
        return torch.maximum(2 * first * x, (2 * second - 1) * x)


class Lite(nn.Module):
    def __init__(self, block, into, dim):
        super().__init__()
        wide = into * block['expand']
        self.conv1 = ConvNorm(into, wide, 3, block['temporal'], block['stride'], into)
        self.conv2 = ConvNorm(wide, block['out'])

    def forward(self, x, z):
        y = self.conv2(F.relu6(self.conv1(x)))
        return (x + y if x.shape == y.shape else y), z


class Mobile(nn.Module):
    """A block with tokens: of stride 1 (`mf`) or 2 (`down`)."""

    def __init__(self, block, into, dim):
        super().__init__()
        out, wide, temporal = block['out'], into * block['expand'], block['temporal']
        self.mobile_to_former, self.former, self.former_to_mobile = MobileToFormer(dim, into), Former(dim), FormerToMobile(dim, out)
        self.act1, self.down = DynamicRelu(dim, wide), block['kind'] == 'down'
        if self.down:
            wider = out * block['expand2']
            self.conv1, self.conv2 = ConvNorm(into, wide, 3, temporal, 2, into), ConvNorm(wide, out)
            self.conv3, self.conv4, self.act2 = ConvNorm(out, wider, 3, temporal, 1, out), ConvNorm(wider, out), DynamicRelu(dim, wider)
        else:
            self.conv1, self.conv2 = ConvNorm(into, wide), ConvNorm(wide, wide, 3, temporal, 1, wide)
            self.conv3, self.act2 = ConvNorm(wide, out), DynamicRelu(dim, wide)

    def forward(self, x, z):
        z = self.former(self.mobile_to_former(x, z))
        if self.down:
            u = self.conv2(self.act1(self.conv1(x), z))
            y = u + self.conv4(self.act2(self.conv3(u), z))
        else:
            y = self.conv3(self.act2(self.conv2(self.act1(self.conv1(x), z)), z))
            y = x + y if x.shape == y.shape else y
        return self.former_to_mobile(y, z), z


class Head(nn.Module):
    def __init__(self, config, channels):
        super().__init__()
        self.conv, self.bn = ConvNorm(channels, 6 * channels), nn.BatchNorm1d(config['head'])
        self.fc1 = nn.Linear(6 * channels + config['tokenDim'], config['head'])
        self.fc2 = nn.Linear(config['head'], config['classes'])

    def forward(self, x, z):
        pooled = F.relu6(self.conv(x)).mean((2, 3, 4))
        return self.fc2(F.hardswish(self.bn(self.fc1(torch.cat([F.hardswish(pooled), z[:, 0]], 1)))))


class Network3d(nn.Module):
    def __init__(self, config):
        super().__init__()
        if config['groups'] != 1:
            raise ValueError('pointwise convolutions in groups are not supported here')
        dim, width = config['tokenDim'], config['stem']
        self.stem, self.tokens = ConvNorm(3, width, 3, 1, 2), nn.Parameter(torch.zeros(config['tokens'], dim))
        self.blocks = nn.ModuleList()
        for block in config['blocks']:
            self.blocks.append((Lite if block['kind'] == 'lite' else Mobile)(block, width, dim))
            width = block['out']
        self.bridge, self.head = MobileToFormer(dim, width), Head(config, width)

    def forward(self, clips):
        """[B, 3, T, S, S] -> logits [B, classes]."""
        x, z = F.relu6(self.stem(clips)), self.tokens.expand(len(clips), -1, -1)
        for block in self.blocks:
            x, z = block(x, z)
        return self.head(x, self.bridge(x, z))


def from_tensors(config, tensors):
    """The network with the values of a checkpoint, in evaluation mode."""
    network = Network3d(config)
    missing, unknown = network.load_state_dict(tensors, strict=False)
    strange = [name for name in missing if not name.endswith('num_batches_tracked')] + unknown
    if strange:
        raise ValueError(f'tensors that do not match: {strange}')
    return network.eval()
