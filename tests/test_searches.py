"""Searches: each engine gives the same whole milliseconds and the same trees."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tangles import SEARCHING, by_networkx, entries_of, graph_of, needs_numba, tangles

from urbangeo.access.engine import table
from urbangeo.access.entries import Entries
from urbangeo.access.searches import reach, reach_dense


@given(st.data(), st.booleans(), st.sampled_from([np.inf, 0.5, 25]))
@settings(max_examples=100, deadline=None)
def test_searches_agree_in_times_and_in_trees(
    data: st.DataObject, reverse: bool, limit: float
) -> None:
    n, arcs = data.draw(tangles())
    starts = data.draw(entries_of(n))
    graph = graph_of(n, arcs)
    turned = [(head, tail, ms) for tail, head, ms in arcs] if reverse else arcs
    expected = by_networkx(n, turned, starts, Entries.at(range(n)))
    expected[expected > limit] = np.inf
    least: dict[tuple[int, int], int] = {}
    for tail, head, ms in turned:
        least[tail, head] = min(ms, least.get((tail, head), ms))
    for name in SEARCHING:
        found = reach(graph, starts, reverse=reverse, limit_ms=limit, paths=True, engine=name)
        ms = found.dense()
        assert np.array_equal(ms, expected), name
        dense = reach_dense(graph, starts, reverse=reverse, limit_ms=limit, engine=name)
        assert np.array_equal(dense, expected), name
        assert found.before is not None
        for row, vertex, before in zip(found.rows, found.vertices, found.before, strict=True):
            own = starts.part(row, row + 1)
            begins = {int(v): int(c) for v, c in zip(own.vertices, own.costs, strict=True)}
            # derived anew: the beginning if it is as fast, else the lowest of those before
            if begins.get(int(vertex)) == ms[row, vertex]:
                assert before == n + row
            else:
                tight = [
                    tail
                    for (tail, head), cost in least.items()
                    if head == vertex and ms[row, tail] + cost == ms[row, vertex]
                ]
                assert before == min(tight)


def test_a_search_holds_no_more_than_it_reaches() -> None:
    chain = graph_of(1000, [(i, i + 1, 10) for i in range(999)])
    for name in SEARCHING:
        found = reach(chain, Entries.at([0, 500, 999]), limit_ms=30, engine=name)
        assert found.offsets.tolist() == [0, 4, 8, 9]
        assert sorted(found.vertices[:4].tolist()) == [0, 1, 2, 3]
        assert found.dense()[1, 500:504].tolist() == [0, 10, 20, 30]


@needs_numba
def test_threads_give_what_one_gives() -> None:
    rng = np.random.default_rng(3)
    arcs = np.column_stack([rng.integers(0, 3000, (9000, 2)), rng.integers(1, 500, 9000)])
    graph = graph_of(3000, [tuple(one) for one in arcs.tolist()])
    starts = Entries.at(rng.integers(0, 3000, 50))
    one, many = (
        reach(graph, starts, limit_ms=2000, paths=True, engine="numba", threads=threads)
        for threads in (1, 7)
    )
    for field in ("offsets", "vertices", "ms", "before"):
        assert np.array_equal(getattr(one, field), getattr(many, field))
    ends = Entries.at(rng.integers(0, 3000, 60))
    assert np.array_equal(
        table(graph, starts, ends, engine="numba", threads=5),
        table(graph, starts, ends, engine="scipy"),
    )
