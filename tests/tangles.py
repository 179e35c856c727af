"""Graphs of any shape for the tests of engines, and what networkx says of them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from urbangeo.access.engine import ENGINES
from urbangeo.access.entries import Entries
from urbangeo.access.machine import available
from urbangeo.network.graph import ArcKind, Arcs, Graph, build_graph

SEARCHING = [one for one in ("scipy", "numba") if one in available()]
TABLES = [one for one in ENGINES if one in available()]
needs_numba = pytest.mark.skipif("numba" not in SEARCHING, reason="numba is not installed")
needs_cch = pytest.mark.skipif("cch" not in TABLES, reason="routingkit-cch is not installed")


def graph_of(n: int, arcs: list[tuple[int, int, int]]) -> Graph:
    tail, head, cost = np.array(arcs, dtype=np.int64).reshape(-1, 3).T
    return build_graph(n, ("road",), n, Arcs.of(tail, head, cost.astype(float), ArcKind.ROAD))


@st.composite
def tangles(draw: st.DrawFn, dearest: int = 40) -> tuple[int, list[tuple[int, int, int]]]:
    """Give any directed graph: parallel arcs, loops, one-ways, islands, vertices without arcs."""
    n = draw(st.integers(1, 14))
    vertex = st.integers(0, n - 1)
    arcs = draw(st.lists(st.tuples(vertex, vertex, st.integers(1, dearest)), min_size=1))
    return n, arcs


@st.composite
def entries_of(draw: st.DrawFn, n: int) -> Entries:
    """Give points with none, one or several ways onto the graph."""
    points = draw(
        st.lists(st.dictionaries(st.integers(0, n - 1), st.integers(0, 30), max_size=3), max_size=4)
    )
    counts = [len(one) for one in points]
    flat = [pair for one in points for pair in sorted(one.items())]
    where, cost = np.array(flat, dtype=np.int64).reshape(-1, 2).T
    return Entries(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), where, cost)


def by_networkx(
    n: int, arcs: list[tuple[int, int, int]], starts: Entries, ends: Entries
) -> NDArray[np.float64]:
    """Times between points, each a vertex of its own of a multigraph with all parallel arcs."""
    tangle = nx.MultiDiGraph()
    tangle.add_nodes_from(range(n))
    for tail, head, ms in arcs:
        tangle.add_edge(tail, head, ms=ms)
    for kind, given_ in (("start", starts), ("end", ends)):
        tangle.add_nodes_from((kind, one) for one in range(len(given_)))
        for row, vertex, ms in zip(given_.rows, given_.vertices, given_.costs, strict=True):
            ends_ = [(kind, int(row)), int(vertex)]
            tangle.add_edge(*(ends_ if kind == "start" else ends_[::-1]), ms=int(ms))
    out = np.full((len(starts), len(ends)), np.inf)
    for row in range(len(starts)):
        found = nx.single_source_dijkstra_path_length(tangle, ("start", row), weight="ms")
        for column in range(len(ends)):
            out[row, column] = found.get(("end", column), np.inf)
    return out
