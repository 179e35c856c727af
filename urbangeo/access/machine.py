"""What this machine brings to a computation: optional libraries, compiled code, cores."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["available", "compiled", "cores", "in_threads", "optional"]

_LIBRARIES = {"numba": "numba", "cch": "routingkit_cch"}


@cache
def optional(name: str) -> Any:
    """Import an optional library; None where it is missing or does not suit this Python."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def available() -> tuple[str, ...]:
    """Name the engines of :data:`urbangeo.access.engine.ENGINES` that can be used here."""
    found = [name for name, library in _LIBRARIES.items() if optional(library) is not None]
    return ("scipy", *found)


def compiled(
    plain: Sequence[Callable[..., Any]], try_out: Callable[[Sequence[Callable[..., Any]]], object]
) -> tuple[Callable[..., Any], ...]:
    """Compile functions, keeping the machine code on disk where a place for it can be written to.

    Compiling takes some seconds, loading what was kept a tenth. A library installed read-only, for
    a user without a home, has no such place.

    Parameters
    ----------
    plain
        Functions written for numba; they run without Python's lock.
    try_out
        Calls each of them once with arguments of the types that it is for.
    """
    jit = optional("numba").njit
    for keep in (True, False):
        try:
            made = tuple(jit(nogil=True, cache=keep)(one) for one in plain)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try_out(made)
        except (RuntimeError, OSError):
            if not keep:
                raise
        else:
            return made
    raise AssertionError


def cores() -> int:
    """Cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def in_threads(work: Callable[[int, int], Any], count: int, threads: int | None) -> list[Any]:
    """Do pieces of a range in threads; what each gave, in order."""
    most = cores() if threads is None else threads
    # several pieces for each thread, so that none waits long for another
    pieces = min(count, most * 4) if most > 1 else 1
    ends = np.linspace(0, count, pieces + 1).astype(int).tolist()
    spans = list(pairwise(ends))
    if most == 1 or len(spans) < 2:
        return [work(start, stop) for start, stop in spans]
    with ThreadPoolExecutor(min(most, len(spans))) as pool:
        return list(pool.map(lambda span: work(*span), spans))
