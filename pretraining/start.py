"""Weights to start from: a state of this program, or of the first script (`net` and `heads`, half precision)."""
import torch

from state import fitting, stored

OLD_NAMES = {'net.head.fc2': 'picture', 'to_teacher': 'picture_features', 'to_teacher16': 'picture_middle', 'actions': 'video_logits',
             'to_video': 'video_frames'}


def single(value):
    return value.float() if value.is_floating_point() else value


def tensors_of(path):
    """-> tensors by the student's names, and the classes of its motion head."""
    found = stored(path)
    if 'average' in found:
        return {name: single(value) for name, value in found['average'].items()}, found['motions']
    tensors = {**{f'net.{name}': value for name, value in found['net'].items()}, **found['heads']}
    renamed = {}
    for name, value in tensors.items():
        owner, last = name.rsplit('.', 1) if '.' in name else ('', name)
        renamed[f'{OLD_NAMES[owner]}.{last}' if owner in OLD_NAMES else name] = single(value)
    return renamed, found.get('motions', [])


def wake_time(student):
    """After pictures the kernels' outer steps in time have learnt nothing: a little noise instead."""
    with torch.no_grad():
        for name, weight in student.named_parameters():
            if weight.dim() == 5 and weight.shape[2] == 3:
                weight[:, :, ::2] = torch.randn_like(weight[:, :, ::2]) * weight[:, :, 1].std() * 0.25


def start_from(student, path, motions):
    """Takes over whatever fits, rows of the motion head by the names of their classes; gives what is new."""
    tensors, known = tensors_of(path)
    rows = [(at, known.index(name)) for at, name in enumerate(motions) if name in known]
    for name in ('motion.weight', 'motion.bias'):
        if name in tensors:
            merged = student.state_dict()[name].clone()
            for at, row in rows:
                merged[at] = tensors[name][row]
            tensors[name] = merged
    new = fitting(student, tensors)
    still = bool(motions) and not known
    if still:
        wake_time(student)
    return dict(new=new, kernels_in_time='anew' if still else 'kept')
