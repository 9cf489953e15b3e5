#!/usr/bin/env python3
"""3D-MobileNetV2 in PyTorch, and the fixture that the project's own is tested against.

    python3 mobilenet3d.py test/fixtures

Writes mobilenet.weights.safetensors and mobilenet.expected.safetensors: computed in float64, stored as float32. Maps are
[B, C, T, h, w]. Modules are named as the authors' checkpoints name their tensors.
"""
import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = {'family': 'mobilenet-v2-3d', 'name': 'mobilenet', 'frames': 5, 'height': 36, 'width': 28, 'classes': 5, 'dropout': 0,
          'widthMultiplier': 0.1, 'lastChannels': 32}
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
SHOWN = (0, 1, 2, 3, 5, 8, 12, 15, 17, 18)


def conv_norm(into, out, kernel, stride=1, groups=1):
    return [nn.Conv3d(into, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm3d(out)]


class InvertedResidual(nn.Module):
    def __init__(self, into, expand, out, stride):
        super().__init__()
        inner = into * expand
        layers = [] if expand == 1 else [*conv_norm(into, inner, 1), nn.ReLU6()]
        layers += [*conv_norm(inner, inner, 3, stride, groups=inner), nn.ReLU6(), *conv_norm(inner, out, 1)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and into == out

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNet3d(nn.Module):
    def __init__(self, multiplier, last, classes):
        super().__init__()
        width = lambda channels: int(channels * multiplier)
        into = width(32)
        layers = [nn.Sequential(*conv_norm(3, into, 3, (1, 2, 2)), nn.ReLU6())]
        for expand, out, repeats, stride in STAGES:
            for i in range(repeats):
                layers.append(InvertedResidual(into, expand, width(out), stride if i == 0 else 1))
                into = width(out)
        layers.append(nn.Sequential(*conv_norm(into, last, 1), nn.ReLU6()))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0), nn.Linear(last, classes))

    def forward(self, x, shown=None):
        for i, layer in enumerate(self.features):
            x = layer(x)
            if shown is not None and i in SHOWN:
                shown[f'eval.features.{i}'] = x
        pooled = x.mean((2, 3, 4))
        logits = self.classifier(pooled)
        if shown is not None:
            shown.update({'eval.pooled': pooled, 'eval.logits': logits})
        return logits


def randomise(model):
    """Values at which every part is alive: no map saturates at 6 or dies, in evaluation as in training."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
            else:
                value.uniform_(0.7, 1.3) if name.endswith('weight') else value.normal_(0, 0.2)
        for name, value in model.named_buffers():
            if name.endswith('running_mean'):
                value.normal_(0, 0.2)
            elif name.endswith('running_var'):
                value.uniform_(0.5, 1.5)


def write(path, tensors, metadata):
    header, data = {'__metadata__': metadata}, b''
    for name, value in tensors.items():
        array = value.detach().numpy()
        array = array.astype('<i4' if array.dtype.kind == 'i' else '<f4')
        header[name] = {'dtype': 'I32' if array.dtype.kind == 'i' else 'F32', 'shape': list(array.shape),
                        'data_offsets': [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    head = json.dumps(header).encode()
    head += b' ' * (-len(head) % 8)
    Path(path).write_bytes(struct.pack('<Q', len(head)) + head + data)


def main(folder):
    torch.manual_seed(28)  # no value so near a corner of ReLU6 that float32 falls on its other side
    torch.set_default_dtype(torch.float64)
    model = MobileNet3d(CONFIG['widthMultiplier'], CONFIG['lastChannels'], CONFIG['classes'])
    randomise(model)
    state = {name: value for name, value in model.state_dict().items() if not name.endswith('num_batches_tracked')}
    Path(folder).mkdir(parents=True, exist_ok=True)
    write(f'{folder}/mobilenet.weights.safetensors', {name: value.clone() for name, value in state.items()}, {'config': json.dumps(CONFIG)})
    for name, value in state.items():  # computed with exactly what is stored
        value.copy_(value.float().double())
    clip = torch.randn(4, 3, CONFIG['frames'], CONFIG['height'], CONFIG['width']).float().double()
    labels = torch.tensor([1, 4, 0, 2])
    expected = {'input.clip': clip, 'input.labels': labels}
    model.eval()
    model(clip, expected)
    model.train()
    logits = model(clip)
    loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
    loss.backward()
    expected.update({'train.logits': logits, 'train.loss': loss})
    expected.update({f'train.buffers.{name}': value for name, value in model.named_buffers() if 'running' in name})
    expected.update({f'grad.{name}': value.grad for name, value in model.named_parameters()})
    write(f'{folder}/mobilenet.expected.safetensors', expected, {})


if __name__ == '__main__':
    main(sys.argv[1])
