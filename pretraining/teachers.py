"""Teachers stored as ONNX, run by PyTorch: on a GPU beside the student in bfloat16, on a CPU in float32."""
import numpy as np
import torch
import torch.nn.functional as F


class Teacher:
    """
    Runs the operators that the teachers consist of. Maps are [T*B, C, h, w], frame t of clip b at t * B + b; a kernel that is long in
    time is a sum of shifted 2-D convolutions. What is averaged over a clip is [B, C]. The graph's own axes are [B, C, T, h, w] (video)
    or [B, C, h, w] (pictures).
    """

    def __init__(self, path, device):
        import onnx.numpy_helper
        graph = onnx.load(str(path)).graph
        self.dtype = torch.bfloat16 if device.type == 'cuda' else torch.float32
        array = lambda tensor: onnx.numpy_helper.to_array(tensor).astype(np.float32)
        stored = {tensor.name: torch.from_numpy(array(tensor)).to(device) for tensor in graph.initializer}
        same, self.steps = {}, []
        for node in graph.node:
            inputs = [same.get(name, name) for name in node.input]
            if node.op_type in ('Cast', 'Identity', 'Transpose', 'Flatten'):      # of type and order of axes only
                same[node.output[0]] = inputs[0]
                continue
            attributes = {a.name: list(a.ints) or a.i for a in node.attribute}
            run = getattr(self, node.op_type)(attributes, *(stored.get(name) for name in inputs[1:]))
            self.steps.append((run, [name for name in inputs if name not in stored], node.output[0]))
        self.input, self.outputs = graph.input[0].name, {o.name: same.get(o.name, o.name) for o in graph.output}

    @torch.no_grad()
    def __call__(self, x, clips, wanted):
        """x [T*B, 3, H, W] as the graph wants its values -> the outputs named in `wanted`."""
        names = [self.outputs[name] for name in wanted]
        uses = {}
        for i, (_, inputs, _) in enumerate(self.steps):
            uses.update((name, i) for name in inputs)
        values = {self.input: x.to(self.dtype).contiguous(memory_format=torch.channels_last)}
        last = max(i for i, (_, _, out) in enumerate(self.steps) if out in names)
        for i, (run, inputs, out) in enumerate(self.steps[:last + 1]):
            values[out] = run(clips, *(values[name] for name in inputs))
            for name in inputs:                                               # a map that nobody needs any more
                if uses[name] == i and name in values and name not in names:
                    del values[name]
        return {name: values[key].float() for name, key in zip(wanted, names)}

    # ------------------------------------------------------------------------------- one method an operator: constants -> function

    def Conv(self, attributes, weight, bias):
        if weight.dim() == 4:
            weight = weight[:, :, None]
        taps = [tap.to(self.dtype).contiguous(memory_format=torch.channels_last) for tap in weight.unbind(2)]
        stride, pads, groups = attributes['strides'][-2:], attributes['pads'], attributes['group']
        space = len(pads) // 2 - 2
        top, left, bottom, right = (*pads[space:space + 2], *pads[-2:])
        matrix, wide, middle = weight.flatten(1).t(), bias.to(self.dtype), len(taps) // 2

        def run(clips, x):
            if x.dim() == 2:                                                  # a 1x1 convolution of what was averaged
                return x @ matrix + bias
            pad = (top, left)
            if (top, left) != (bottom, right):
                x, pad = F.pad(x, (left, right, top, bottom)), 0
            y = F.conv2d(x, taps[middle], wide, stride, pad, 1, groups)
            for j, tap in enumerate(taps):
                n = abs(j - middle) * clips
                if n == 0 or n >= len(x):
                    continue
                into, of = (y[n:], x[:-n]) if j < middle else (y[:-n], x[n:])
                into += F.conv2d(of, tap, None, stride, pad, 1, groups)
            return y
        return run

    def Gemm(self, attributes, weight, bias):
        matrix = weight.t() if attributes.get('transB') else weight
        return lambda clips, x: x @ matrix + bias

    def Clip(self, attributes, low, high):
        low, high = low.item(), high.item()
        return lambda clips, x: x.clamp_(low, high)

    def Relu(self, attributes):
        return lambda clips, x: F.relu(x)

    def Sigmoid(self, attributes):
        return lambda clips, x: torch.sigmoid(x)

    def GlobalAveragePool(self, attributes):
        return lambda clips, x: mean(x, clips)

    def ReduceMean(self, attributes):
        whole = len(attributes['axes']) == 3
        return lambda clips, x: mean(x, clips) if whole else x.float().mean((2, 3))

    def Add(self, attributes, *constants):
        return self.pair(torch.add, *constants)

    def Sub(self, attributes, *constants):
        return self.pair(torch.sub, *constants)

    def Mul(self, attributes, *constants):
        return self.pair(torch.mul, *constants)

    def pair(self, operator, constant):
        if constant is not None:
            constant = constant.reshape(1, -1, 1, 1).to(self.dtype)
            return lambda clips, x: operator(x, constant)

        def run(clips, x, y):
            if y.dim() < x.dim():                                             # a value for every clip and channel
                y = y.to(x.dtype).repeat(len(x) // clips, 1)[:, :, None, None]
            return operator(x, y)
        return run


def mean(x, clips):
    """[T*B, C, h, w] -> [B, C]"""
    return x.float().mean((2, 3)).unflatten(0, (-1, clips)).mean(0)
