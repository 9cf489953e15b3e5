"""The state of a run: everything that makes the next step what it would have been, in one file that is replaced as a whole."""
import copy
import io
import os
import random

import numpy as np
import torch


class Average:
    """Exponential moving average of the parameters and statistics; quick at first."""

    def __init__(self, model, most=0.999):
        self.model, self.most = copy.deepcopy(model).eval().requires_grad_(False), most
        pairs = zip(self.model.state_dict().values(), model.state_dict().values())
        self.pairs = [(ours, theirs) for ours, theirs in pairs if ours.is_floating_point()]

    @torch.no_grad()
    def update(self, step):
        keep = min(self.most, (1 + step) / (10 + step))
        ours, theirs = zip(*self.pairs)
        torch._foreach_mul_(ours, keep)
        torch._foreach_add_(ours, [t.detach() for t in theirs], alpha=1 - keep)


def dice_now(rng):
    cuda = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    return dict(torch=torch.get_rng_state(), numpy=rng.bit_generator.state, python=random.getstate(), cuda=cuda)


def dice_again(stored, rng):
    torch.set_rng_state(stored['torch'].cpu())
    rng.bit_generator.state = stored['numpy']
    random.setstate(stored['python'])
    if stored['cuda'] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(stored['cuda'].cpu())


def write(path, state):
    """A reader finds the old file or the new one, whenever this is interrupted."""
    part = path.with_suffix('.part')
    with open(part, 'wb') as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def hand_back(folder, facts, average, most=15 * 2 ** 20):
    """The averaged student alone, in half precision, as weights.pt.0, .1, ... of at most 15 MiB: what comes home from a rented GPU."""
    tensors = {name: value.half().cpu() if value.is_floating_point() else value.cpu() for name, value in average.items()}
    buffer = io.BytesIO()
    torch.save(dict(facts, average=tensors), buffer)
    content = buffer.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    for part, at in enumerate(range(0, len(content), most)):
        path = folder / f'weights.pt.{part}'
        path.with_suffix('.part').write_bytes(content[at:at + most])
        os.replace(path.with_suffix('.part'), path)


def stored(path):
    """A file of `write` or, by the name before the number, the parts of `hand_back`; on the host."""
    if path.exists():
        return torch.load(path, map_location='cpu')
    parts = sorted(path.parent.glob(f'{path.name}.[0-9]*'), key=lambda part: int(part.suffix[1:]))
    if not parts:
        raise SystemExit(f'{path}: no such file')
    return torch.load(io.BytesIO(b''.join(part.read_bytes() for part in parts)), map_location='cpu')


def fitting(model, tensors):
    """Loads the tensors whose name and shape the model has; gives the names of its tensors that keep their first values."""
    own = model.state_dict()
    fits = {name: value for name, value in tensors.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict({**own, **fits})
    return sorted(name for name in own if name not in fits and not name.endswith('num_batches_tracked'))
