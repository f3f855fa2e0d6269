"""The device that a job computes on, and random numbers on it that are seeded by names."""

import contextlib
import ctypes

import torch

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from


def choose_device(gpu: int, threads: int) -> torch.device:
    """Return the device that the rule's resources ask for, and make CPU results reproducible.

    Raises:
        UserError: a GPU was requested and there is none; the CPU is never used in its place.
    """
    torch.set_num_threads(max(1, threads))
    keep_freed_memory()
    if gpu:
        if not torch.cuda.is_available():
            raise UserError("gpu: 1 in the config, but torch sees no CUDA device; set gpu: 0 or run on a GPU machine")
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = False  # attacks and evaluation need full float32
        torch.backends.cudnn.allow_tf32 = False
        return torch.device("cuda")
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms does it too, and imports the compiler
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid that costs 7 % of a step
    return torch.device("cpu")


def keep_freed_memory() -> None:
    """Make glibc keep freed memory instead of returning it to the system.

    Every activation on a CPU is a new block of megabytes, whose pages the system would zero again at each
    step. Keeping them makes ReLU and BatchNorm several times faster.
    """
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD of malloc.h
    with contextlib.suppress(OSError, AttributeError):  # another C library: slower, same results
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 256 * 2**20)


def generator(device: torch.device, *names: object) -> torch.Generator:
    """Return a torch generator on the device, seeded by names and never by the order of execution."""
    return torch.Generator(device=device).manual_seed(seed_from(*names))
