"""A fixed piece of work on every core at once: how fast this machine is at the moment.

Beside a figure it shows whether the machine was as quiet then as at other times. All cores are
loaded, since a neighbour on one of them slows what uses two and would not show on the other.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import numpy as np

_LOOPS = 1_500_000
_NUMBERS = 2_000_000


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work() -> int:
    """Some tenths of a second: a loop in pure Python, then a sort and sums in NumPy."""
    total = 0
    for number in range(_LOOPS):
        total += number * number % 7
    numbers = np.random.default_rng(42).integers(0, 1 << 40, _NUMBERS)
    numbers.sort()
    return total + int(np.bitwise_xor.reduce(numbers))


class Calibrator:
    """Processes that wait, one a core, and do the work when asked."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def seconds(self) -> float:
        """From asking for the work on all cores until the last is done."""
        began = time.perf_counter()
        for answer in [self._pool.submit(work) for _ in range(cores())]:
            answer.result()
        return time.perf_counter() - began


@contextmanager
def calibrating() -> Iterator[Calibrator]:
    """A calibrator for the time of the block, warm."""
    # Started afresh: a fork would take over what this process has open.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), mp_context=context) as pool:
        calibrator = Calibrator(pool)
        calibrator.seconds()
        yield calibrator
