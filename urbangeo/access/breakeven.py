"""By how much roads may be slower until a place falls out of a circle."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.legs import Route, trace
from urbangeo.access.question import Question
from urbangeo.access.times import arrivals, search
from urbangeo.network.graph import ArcKind
from urbangeo.network.snap import Snaps

__all__ = ["BreakEven"]

_ROUNDING_MS = 50  # legs are whole milliseconds, so slowed ways are right to some of them
_MOST_STEPS = 25  # a break-even is found in as many steps as its fastest way changes; few


class BreakEven:
    """The break-even factors of the places of a circle.

    Parameters
    ----------
    question
        The circle's question.
    """

    def __init__(self, question: Question) -> None:
        self.question = question

    def factor(self, route: Route | None, town: int) -> float:
        """Largest factor on road times at which a place is still inside, three decimals down.

        The fastest time is the least of straight lines in the factor, one for each way, so it is
        concave: solving for the way that is fastest now gives a factor that is reached for
        certain, and a new search there finds whether another way reaches farther. It ends when
        none does.
        """
        assert route is not None
        asked = self.question
        if (asked.direct_on_foot[:, town] <= asked.cutoff_ms).any():
            return float("inf")
        factor = 1.0
        for _ in range(_MOST_STEPS):
            if route.road_ms == 0:
                return float("inf")
            # A millisecond is lost or won by rounding each leg; a thousandth is told.
            factor = max(factor, (asked.cutoff_ms - route.other_ms) / route.road_ms)
            if not self._others_matter[town]:
                break
            better = self._fastest_at(factor, town)
            if better is None or better.total_ms(factor) > asked.cutoff_ms - _ROUNDING_MS:
                break
            route = better
        return float(np.floor(factor * 1000 + 1e-6) / 1000)

    @cached_property
    def _others_matter(self) -> NDArray[np.bool_]:
        """Whether a way that is not all by car may hold each place inside when roads are slow.

        The fastest way that rides a train at all is found from where trains arrive. If it is too
        slow at today's speeds it is too slow when roads are slower.
        """
        asked = self.question
        if "walk" in asked.modes:
            return np.ones(len(asked.far), dtype=bool)
        graph = asked.graph
        ride = np.flatnonzero(graph.kind == ArcKind.RIDE)
        if not len(ride):
            return np.zeros(len(asked.far), dtype=bool)
        begin = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))[ride]
        end = graph.heads[ride]
        if asked.reverse:
            begin, end = end, begin
        ridden = asked.vertex_ms(asked.minutes)[begin] + graph.cost_ms[ride]
        soon = ridden <= asked.cutoff_ms
        if not soon.any():
            return np.zeros(len(asked.far), dtype=bool)
        trains = _sources(end[soon], ridden[soon])
        after = search(
            graph, trains, np.array([0]), reverse=asked.reverse, cutoff_ms=asked.cutoff_ms
        )
        by_train = arrivals(after, asked.snaps, asked.far, reverse=asked.reverse)[0]
        matter: NDArray[np.bool_] = by_train <= asked.cutoff_ms
        return matter

    def _fastest_at(self, factor: float, town: int) -> Route | None:
        """The fastest way over the graph of one place, road times multiplied by a factor.

        None if none is fast enough. A way by car that needs no vertex is never fastest here: it
        is all road, so it grew with the factor at least as much as any other.
        """
        asked = self.question
        graph, snaps = asked.graph.slowed(factor), asked.snaps.slowed(factor)
        point = int(asked.far[town])
        found = search(
            graph, snaps, asked.near, reverse=asked.reverse, cutoff_ms=asked.cutoff_ms, paths=True
        )
        times = arrivals(found, snaps, np.array([point]), reverse=asked.reverse)[:, 0]
        centre = int(np.argmin(times))
        if not times[centre] <= asked.cutoff_ms:
            return None
        slow = trace(
            asked.net,
            graph,
            found,
            centre,
            snaps,
            int(asked.near[centre]),
            point,
            reverse=asked.reverse,
        )
        assert slow is not None
        return Route((), round(slow.road_ms / factor), slow.other_ms)


def _sources(vertices: NDArray[np.int64], ms: NDArray[np.float64]) -> Snaps:
    """One point that stands at several vertices, at each after some milliseconds."""
    n = len(vertices)
    zeros, whole = np.zeros(n, dtype=np.int64), ms.astype(np.int64)
    never = np.zeros(n, dtype=bool)
    one = np.zeros(1)
    return Snaps(
        point=zeros,
        vertex=vertices,
        out_ms=whole,
        in_ms=whole,
        leg_ms=zeros,
        leg_m=np.zeros(n),
        link=np.full(n, -1),
        along=np.full(n, np.nan),
        there_ms=zeros,
        back_ms=zeros,
        at_tail=never,
        foot=never,
        nearest_m=one,
        island_m=one,
    )
