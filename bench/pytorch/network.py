"""Video Mobile-Former in PyTorch, written to be fast on a CPU: the opponent that the benchmarks run against.

Maps are [T*B, C, h, w] (frame t of clip b at t * B + b) with channels last in memory, so every convolution is a 2-D one that
oneDNN runs without reordering. For inference batch norm is folded into the convolutions. A depthwise kernel 3 long in time is
three 2-D ones that add into the same result, each over just the frames it sees. Expanding depthwise convolutions, for which oneDNN
has no fast code, see their input's channels repeated. Parameters come by name, as the project's checkpoints have them. Pointwise
convolutions in groups are not supported: no benchmark needs them.
"""
import time
import warnings

import torch
import torch.nn.functional as F
from torch.utils.mobile_optimizer import optimize_for_mobile

EPSILON = 1e-5
MOMENTUM = 0.1


def depthwise_in_time(x, before, same, after, bias, clips, stride):
    """Depthwise convolution by three kernels, for the frame before, the same one and the one after; `clips` images a frame."""
    groups = int(x.shape[1])
    y = F.conv2d(x, same, bias, stride, 1, 1, groups)
    y[clips:] += F.conv2d(x[:-clips], before, None, stride, 1, 1, groups)
    y[:-clips] += F.conv2d(x[clips:], after, None, stride, 1, 1, groups)
    return y


class DepthwiseInTime(torch.autograd.Function):
    """The same for training. Autograd alone would copy whole maps for every shift; ranges of frames are views."""

    @staticmethod
    def forward(ctx, x, before, same, after, bias, clips, stride):
        ctx.save_for_backward(x, before, same, after)
        ctx.clips, ctx.stride = clips, stride
        return depthwise_in_time(x, before, same, after, bias, clips, stride)

    @staticmethod
    def backward(ctx, dy):
        x, before, same, after = ctx.saved_tensors
        n, stride, groups = ctx.clips, [ctx.stride] * 2, x.shape[1]

        def gradients(dy, x, kernel):
            return torch.ops.aten.convolution_backward(
                dy, x, kernel, None, stride, [1, 1], [1, 1], False, [0, 0], groups, [True, True, False])[:2]

        dx, d_same = gradients(dy, x, same)
        part, d_before = gradients(dy[n:], x[:-n], before)
        dx[:-n] += part
        part, d_after = gradients(dy[:-n], x[n:], after)
        dx[n:] += part
        return dx, d_before, d_same, d_after, None, None, None


def repeat_channels(x, out):
    """Each channel as often as makes `out` of them."""
    n, c, h, w = (int(size) for size in x.shape)
    if out == c:
        return x
    wide = x.permute(0, 2, 3, 1)[..., None].expand(n, h, w, c, out // c)
    return wide.reshape(n, h, w, out).permute(0, 3, 1, 2)


class Network:
    """The network's function of a clip. `tensors` holds parameters and running statistics by name."""

    def __init__(self, config, tensors, training):
        if config['groups'] != 1:
            raise ValueError('pointwise convolutions in groups are not supported here')
        self.config, self.tensors, self.training = config, tensors, training
        self.frames = config['frames']
        self.folded = {} if training else {name: self.fold(name) for name in self.convolutions()}
        self.clips = 1

    def __call__(self, clips):
        """[T*B, 3, S, S] -> logits [B, classes]."""
        self.clips = int(clips.shape[0]) // self.frames
        x = F.relu6(self.conv('stem', clips.contiguous(memory_format=torch.channels_last), stride=2), inplace=True)
        z = self.tensors['tokens'].expand(self.clips, -1, -1)
        for i, block in enumerate(self.config['blocks']):
            x, z = self.block(f'blocks.{i}.', block, x, z)
        return self.head(x, self.mobile_to_former('bridge.', x, z))

    # ------------------------------------------------------------------------------------------- convolution and batch norm

    def convolutions(self):
        """Names of the convolutions that a batch norm follows."""
        ends = '.conv.weight'
        return [name[:-len(ends)] if name != 'stem.conv.weight' else 'stem' for name in self.tensors if name.endswith(ends)]

    def kernels(self, weight):
        """One 2-D kernel for each position in time."""
        return [w.contiguous(memory_format=torch.channels_last) for w in weight.unbind(2)]

    def fold(self, name):
        """Kernels and bias with batch norm in them."""
        get = lambda part: self.tensors[f'{name}.{part}']
        scale = get('bn.weight') / (get('bn.running_var') + EPSILON).sqrt()
        kernels = self.kernels(get('conv.weight') * scale[:, None, None, None, None])
        return kernels, get('bn.bias') - get('bn.running_mean') * scale

    def conv(self, name, x, stride=1):
        """Full 3x3 or 1x1 convolution and its batch norm."""
        (kernel,), bias = self.folded.get(name) or (self.kernels(self.tensors[f'{name}.conv.weight']), None)
        y = F.conv2d(x, kernel, bias, stride, int(kernel.shape[-1]) // 2)
        return self.batch_norm(f'{name}.bn', y) if self.training else y

    def depthwise(self, name, x, stride=1):
        """Depthwise 3x3 convolution, 1 or 3 long in time, and its batch norm."""
        kernels, bias = self.folded.get(name) or (self.kernels(self.tensors[f'{name}.conv.weight']), None)
        out = int(kernels[0].shape[0])
        x = repeat_channels(x, out)
        if len(kernels) == 3 and self.frames > 1:
            function = DepthwiseInTime.apply if self.training else depthwise_in_time
            y = function(x, *kernels, bias, self.clips, stride)
        else:
            y = F.conv2d(x, kernels[len(kernels) // 2], bias, stride, 1, 1, out)
        return self.batch_norm(f'{name}.bn', y) if self.training else y

    def batch_norm(self, name, x):
        """Over all axes but the second, by the batch in training, by what was seen there in evaluation."""
        parts = ('running_mean', 'running_var', 'weight', 'bias')
        return F.batch_norm(x, *(self.tensors[f'{name}.{part}'] for part in parts), self.training, MOMENTUM, EPSILON)

    # ----------------------------------------------------------------------------------------------------------- the tokens

    def linear(self, name, x):
        return F.linear(x, self.tensors[f'{name}.weight'], self.tensors[f'{name}.bias'])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.tensors[f'{name}.weight'], self.tensors[f'{name}.bias'], EPSILON)

    def former(self, name, z):
        """Self-attention with 4 heads, then the feed-forward layers."""
        count, width = z.shape[1:]
        heads = lambda t: t.view(-1, count, 4, width // 4).transpose(1, 2)
        own = heads(z)
        scores = heads(self.linear(name + 'query', z)) @ own.transpose(2, 3) * (width / 4) ** -0.5
        found = (scores.softmax(3) @ own).transpose(1, 2).reshape(z.shape)
        z = self.norm(name + 'norm1', z + self.linear(name + 'out', found))
        return self.norm(name + 'norm2', z + self.linear(name + 'ffn_out', F.gelu(self.linear(name + 'ffn_in', z))))

    # ---------------------------------------------------------------------------------------------------------- the bridges

    def rows(self, x):
        """The map as [T, B, h*w, C]; no copy."""
        return x.permute(0, 2, 3, 1).reshape(self.frames, self.clips, -1, x.shape[1])

    def two_heads(self, t):
        """[B, M, C] -> [B, 2M, C]: the tokens once a head, zero outside the head's channels."""
        half = t.shape[2] // 2
        return torch.cat([F.pad(t[..., :half], (0, half)), F.pad(t[..., half:], (half, 0))], 1)

    def mobile_to_former(self, name, x, z):
        """Tokens look at all positions of the clip; a gate weighs what they find."""
        features, count, half = self.rows(x), z.shape[1], x.shape[1] // 2
        query = self.two_heads(self.linear(name + 'query', z) * half ** -0.5)
        scores = query @ features.transpose(2, 3)                                        # [T, B, 2M, h*w]
        weights = scores.permute(1, 2, 0, 3).flatten(2).softmax(2).unflatten(2, (self.frames, -1)).permute(2, 0, 1, 3)
        seen = (weights @ features).sum(0)                                               # [B, 2M, C]
        found = torch.cat([seen[:, :count, :half], seen[:, count:, half:]], 2)           # [B, M, C]
        gated = found * (2 * F.hardsigmoid(self.linear(name + 'gate', z)))
        return self.norm(name + 'norm', z + self.linear(name + 'out', gated))

    def former_to_mobile(self, name, x, z):
        """Every position looks at the tokens."""
        query, half = self.rows(x), x.shape[1] // 2
        key = self.two_heads(self.linear(name + 'key', z) * half ** -0.5)
        value = self.two_heads(self.linear(name + 'value', z))
        scores = query @ key.transpose(1, 2)                                             # [T, B, h*w, 2M]
        weights = scores.unflatten(3, (2, -1)).softmax(4).flatten(3)
        n, c, h, w = x.shape
        return (query + weights @ value).reshape(n, h, w, c).permute(0, 3, 1, 2)

    # ----------------------------------------------------------------------------------------------------------- the blocks

    def dynamic_relu(self, name, x, z):
        """max(a1 x, a2 x) with slopes for each clip and channel from token 0, as a2 x + relu((a1 - a2) x)."""
        theta = F.hardsigmoid(self.linear(name + 'fc2', F.relu(self.linear(name + 'fc1', z[:, 0]))))
        first, second = theta.repeat(self.frames, 1)[:, :, None, None].chunk(2, 1)
        a1, a2 = 2 * first, 2 * second - 1
        bent = F.relu((a1 - a2) * x, inplace=True)
        return torch.addcmul(bent, a2, x) if self.training else bent.addcmul_(a2, x)

    def block(self, name, block, x, z):
        if block['kind'] == 'lite':
            wide = F.relu6(self.depthwise(name + 'conv1', x, block['stride']), inplace=True)
            y = self.conv(name + 'conv2', wide)
            return (x + y if y.shape == x.shape else y), z
        z = self.former(name + 'former.', self.mobile_to_former(name + 'mobile_to_former.', x, z))
        y = (self.mobile if block['kind'] == 'mf' else self.mobile_down)(name, x, z)
        return self.former_to_mobile(name + 'former_to_mobile.', y, z), z

    def mobile(self, name, x, z):
        y = self.dynamic_relu(name + 'act1.', self.conv(name + 'conv1', x), z)
        y = self.dynamic_relu(name + 'act2.', self.depthwise(name + 'conv2', y), z)
        y = self.conv(name + 'conv3', y)
        return x + y if y.shape == x.shape else y

    def mobile_down(self, name, x, z):
        y = self.dynamic_relu(name + 'act1.', self.depthwise(name + 'conv1', x, 2), z)
        u = self.conv(name + 'conv2', y)
        y = self.dynamic_relu(name + 'act2.', self.depthwise(name + 'conv3', u), z)
        return u + self.conv(name + 'conv4', y)

    def head(self, x, z):
        wide = F.relu6(self.conv('head.conv', x), inplace=True)
        pooled = wide.mean((2, 3)).view(self.frames, self.clips, -1).mean(0)             # [B, 6C]
        hidden = self.linear('head.fc1', torch.cat([F.hardswish(pooled), z[:, 0]], 1))
        return self.linear('head.fc2', F.hardswish(self.batch_norm('head.bn', hidden)))


def fastest(network, clips, turns=7):
    """
    The fastest way we know of running the network on such clips: traced and frozen by TorchScript, with oneDNN's convolutions or
    with XNNPACK's. Both are checked against the network as it is and raced; gives the faster one and its name.
    """
    class Module(torch.nn.Module):
        def forward(self, clips):
            return network(clips)

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')          # what tracing fixes (sizes, layouts) is meant to be fixed
        traced = torch.jit.trace(Module().eval(), clips, check_trace=False)
        ways = {'frozen, oneDNN': torch.jit.freeze(traced)}
        if torch._C._is_xnnpack_enabled():
            ways['optimize_for_mobile, XNNPACK'] = optimize_for_mobile(traced)
    expected, times = network(clips), {}
    for turn in range(turns):
        for name, run in ways.items():
            start = time.perf_counter()
            got = run(clips)
            times.setdefault(name, []).append(time.perf_counter() - start)
            if (got - expected).abs().max() > 1e-3 * expected.abs().max():
                raise ValueError(f'{name} computes something else')
    name = min(times, key=lambda name: sorted(times[name][2:])[(turns - 2) // 2])
    return ways[name], name
