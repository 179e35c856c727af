"""The graph: rows of arcs, whole milliseconds, the fastest of parallel arcs."""

from __future__ import annotations

import numpy as np
import pytest

from urbangeo.errors import NetworkError
from urbangeo.network.graph import ArcKind, Arcs, Graph, build_graph


def made(arcs: list[tuple[int, int, float]], n: int = 3) -> Graph:
    tail, head, cost = (np.array(column) for column in zip(*arcs, strict=True))
    kind = np.zeros(len(arcs), dtype=np.int8)
    arcs_made = Arcs(tail, head, cost.astype(float), kind, np.arange(len(arcs)))
    return build_graph(n, ("road",), n, arcs_made)


def test_parallel_arcs_keep_the_fastest_and_do_not_add_up() -> None:
    graph = made([(0, 1, 500), (0, 1, 300), (0, 1, 400), (1, 2, 7)])
    assert graph.n_arcs == 2
    arc = graph.arc(0, 1)
    assert graph.cost_ms[arc] == 300
    assert graph.item[arc] == 1
    assert graph.matrix().toarray()[0, 1] == 300


def test_costs_are_whole_milliseconds() -> None:
    graph = made([(0, 1, 1.6), (1, 2, 0.2)])
    assert graph.cost_ms.dtype == np.int64
    assert graph.cost_ms.tolist() == [2, 1]


@pytest.mark.parametrize("cost", [0.0, -1.0, np.nan, np.inf])
def test_unusable_costs_raise(cost: float) -> None:
    with pytest.raises(NetworkError, match="from vertex 1 to 2"):
        made([(0, 1, 5), (1, 2, cost)])


def test_reverse_turns_every_arc_round() -> None:
    graph = made([(0, 1, 5), (1, 2, 7)])
    assert (graph.matrix(reverse=True).toarray() == graph.matrix().toarray().T).all()


def test_a_missing_arc_is_a_key_error() -> None:
    graph = made([(0, 1, 5), (0, 2, 7)])
    with pytest.raises(KeyError):
        graph.arc(1, 0)
    with pytest.raises(KeyError):
        graph.arc(2, 2)


def test_slowed_touches_roads_only() -> None:
    arcs = Arcs(
        np.array([0, 1]),
        np.array([1, 2]),
        np.array([100.0, 100.0]),
        np.array([ArcKind.ROAD, ArcKind.RIDE], dtype=np.int8),
        np.array([0, 0]),
    )
    graph = build_graph(3, ("road",), 3, arcs)
    assert graph.slowed(1.5).cost_ms.tolist() == [150, 100]
    assert graph.cost_ms.tolist() == [100, 100]
