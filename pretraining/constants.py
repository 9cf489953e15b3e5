"""Small tensors made once: nothing may be copied from the host while a CUDA graph is recorded."""
from functools import lru_cache

import torch


@lru_cache(maxsize=None)
def constant(values, device, dtype=torch.float32):
    """`values`: a number or tuples of them."""
    return torch.tensor(values, device=device, dtype=dtype)
