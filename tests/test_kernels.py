"""The compiled search, step by step."""

from __future__ import annotations

import numpy as np
from tangles import graph_of, needs_numba

from urbangeo.access import kernels
from urbangeo.access.entries import Entries, packed_arcs
from urbangeo.access.kernels import Room


@needs_numba
def test_kernels_are_right_as_plain_python_too() -> None:
    """Follow the compiled functions step by step, which also shows them to a debugger."""
    graph = graph_of(5, [(0, 1, 5), (0, 2, 2), (2, 1, 2), (1, 3, 1), (3, 0, 9), (2, 3, 3)])
    plain = (kernels._settle, kernels._tree, kernels._gather, kernels._clear)
    packed = packed_arcs(graph, reverse=False)
    room = Room(5, graph.n_arcs)
    start = Entries.at([0])
    count = room.settle(plain, packed, start.vertices, start.costs, 100, room.mark, 0)
    assert {int(v): int((room.label[v] >> 1) - 1) for v in room.order[:count]} == {
        0: 0, 1: 4, 2: 2, 3: 5,
    }  # fmt: skip
    kernels._tree(
        packed.indptr, packed.arcs, start.vertices, start.costs,
        room.label, room.order, count, room.before,
    )  # fmt: skip
    # 3 is come to from 1 (4 + 1) and from 2 (2 + 3): the lower number stands
    assert room.before[:4].tolist() == [-2, 2, 0, 1]
    out = np.full(2, np.inf)
    ends = Entries(np.array([0, 2, 3]), np.array([1, 3, 4]), np.array([7, 1, 0]))
    kernels._gather(room.label, ends.offsets, ends.vertices, ends.costs, 100, out)
    assert out.tolist() == [6, np.inf]
    ms, row = np.empty(count, dtype=np.int64), np.full(4, np.nan)
    kernels._clear(room.label, room.order, count, ms, row, 2.0)
    assert row.tolist() == [0, 2, 1, 2.5]
    assert not room.label.any()
