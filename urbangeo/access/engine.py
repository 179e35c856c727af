"""The engines that answer for the graph: which one, why, and the same answer from each.

Costs are whole milliseconds, so every engine must give the same integers, and a test holds them to
it. Three can be asked:

``scipy``
    Dijkstra's algorithm of :mod:`scipy.sparse.csgraph`. Always there.
``numba``
    A search of ours that touches only what it reaches, does not hold Python's lock, and so runs in
    as many threads as there are cores (:mod:`urbangeo.access.kernels`). It needs ``numba`` (extra
    ``scale``).
``cch``
    Contraction hierarchies (:mod:`urbangeo.access.hierarchy`), for tables of times. They need
    ``routingkit-cch`` (extra ``scale``).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.entries import Entries
from urbangeo.access.hierarchy import Hierarchy, fits_cch
from urbangeo.access.machine import available
from urbangeo.access.searches import check_engine, fits_numba, search_table, searching
from urbangeo.network.graph import Graph

__all__ = ["ENGINES", "choose", "table"]

ENGINES = ("scipy", "numba", "cch")

FloatArray = NDArray[np.float64]

_MANY_SEARCHES = 300
_FEW_SEARCHES = 8


def choose(graph: Graph, searches: int, *, limit_ms: float = math.inf, is_table: bool) -> str:
    """Choose the engine by the shape of the question.

    Parameters
    ----------
    graph
        The graph that is asked.
    searches
        Number of searches that plain searching takes: the smaller side of a table.
    limit_ms
        Cutoff.
    is_table
        Whether times between listed places are asked for, and not all that is reached.

    Returns
    -------
    str
        One of :data:`ENGINES`. The answer is the same from each; this is about waiting.

    Notes
    -----
    A range touches much of the graph anyway, so it is searched. A table without a cutoff is worth
    a hierarchy when plain searching, about 0.1 µs for each vertex and search, would take longer
    than ordering the graph, about 30 µs for each vertex: from some 300 searches on, or a few once
    the order is there. A cutoff makes searching cheap, so then a hierarchy is used only if it is
    there already. Between the others :func:`urbangeo.access.searches.searching` chooses.
    """
    if is_table and "cch" in available() and fits_cch(graph):
        known = Hierarchy.known(graph)
        if searches >= _FEW_SEARCHES and (
            known or (math.isinf(limit_ms) and searches >= _MANY_SEARCHES)
        ):
            return "cch"
    return searching(graph, searches)


def table(
    graph: Graph,
    starts: Entries,
    ends: Entries,
    *,
    limit_ms: float = math.inf,
    lonlat: FloatArray | None = None,
    engine: str | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Give the time from each start to each end; milliseconds, infinite where there is no way.

    Parameters
    ----------
    graph
        The graph.
    starts, ends
        How points enter the graph and leave it.
    limit_ms
        Longer times are infinite; inclusive.
    lonlat
        Degrees of the vertices, by which ``cch`` orders them much better than without.
    engine
        One of :data:`ENGINES`; chosen by :func:`choose` if None.
    threads
        At most so many at once; as many as there are cores if None.
    """
    searches = min(len(starts), len(ends))
    if engine is None:
        chosen = choose(graph, searches, limit_ms=limit_ms, is_table=True)
    else:
        fits = {"scipy": True, "numba": fits_numba(graph), "cch": fits_cch(graph)}
        chosen = check_engine(engine, fits)
    if not searches:
        return np.full((len(starts), len(ends)), np.inf)
    if chosen == "cch":
        return Hierarchy.of(graph, lonlat).table(starts, ends, limit_ms=limit_ms, threads=threads)
    return search_table(graph, starts, ends, limit_ms=limit_ms, engine=chosen, threads=threads)
