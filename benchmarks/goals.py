"""Goals of the benchmarks: each says a number, its limit, and whether it is met; and the clock.

A number is a ratio to a peer of the same run, a share, or seconds where the goal is in seconds.
Where the variable ``URBANGEO_GOALS`` names a file, they are also written there, one JSON object a
line, so that ``run.py`` can gather them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Goal", "clock", "judge"]


def clock(work: Callable[[], object]) -> float:
    """Time one call, seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Goal:
    """One number and its limit.

    Attributes
    ----------
    work
        What was done, as a row of the table of results.
    measure
        What the number is: ``x scipy``, ``s``, ``share``.
    value, limit
        The number, and what it must keep to.
    at_least
        Whether it must be no less than the limit; else no more.
    """

    work: str
    measure: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the number keeps to the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def judge(goals: Sequence[Goal]) -> int:
    """Print goals, and write them where they are gathered; exit status 1 if one is missed."""
    print()
    for one in goals:
        word = "at least" if one.at_least else "at most"
        print(
            f"{one.value:10.4g} {one.measure:28s} {one.work}; {word} {one.limit:g}: "
            f"{'met' if one.met else 'MISSED'}"
        )
    gathered = os.environ.get("URBANGEO_GOALS")
    if gathered:
        with Path(gathered).open("a", encoding="utf-8") as file:
            for one in goals:
                file.write(json.dumps(asdict(one)) + "\n")
    return int(not all(one.met for one in goals))
