"""Contraction hierarchies: changed costs, times beyond their range, orders that are kept."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from grids import square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tangles import TABLES, by_networkx, entries_of, graph_of, needs_cch, tangles

from urbangeo.access import hierarchy
from urbangeo.access.engine import table
from urbangeo.access.entries import Entries
from urbangeo.access.hierarchy import Hierarchy


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_times_beyond_31_bits_are_not_lost(data: st.DataObject) -> None:
    n, arcs = data.draw(tangles(dearest=2**31 - 3))
    starts, ends = data.draw(entries_of(n)), data.draw(entries_of(n))
    expected = by_networkx(n, arcs, starts, ends)
    graph = graph_of(n, arcs)
    for name in TABLES:
        assert np.array_equal(table(graph, starts, ends, engine=name), expected), name


@needs_cch
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_changed_and_closed_arcs_equal_a_graph_made_so(data: st.DataObject) -> None:
    n, arcs = data.draw(tangles())
    graph = graph_of(n, arcs)
    starts, ends = data.draw(entries_of(n)), data.draw(entries_of(n))
    number = st.integers(0, graph.n_arcs - 1)
    changes = data.draw(
        st.dictionaries(number, st.none() | st.integers(1, 60), min_size=1, max_size=4)
    )
    again = data.draw(st.dictionaries(number, st.none() | st.integers(1, 60), max_size=2))
    before = table(graph, starts, ends, engine="scipy")

    def made(costs: dict[int, int | None]) -> NDArray[np.float64]:
        tails = np.repeat(np.arange(n), np.diff(graph.indptr))
        rows = [
            (int(tails[arc]), int(graph.heads[arc]), int(graph.cost_ms[arc]))
            for arc in range(graph.n_arcs)
        ]
        for arc, cost in costs.items():
            rows[arc] = (*rows[arc][:2], -1 if cost is None else cost)
        return by_networkx(n, [one for one in rows if one[2] > 0], starts, ends)

    hierarchy = Hierarchy.of(graph)
    with hierarchy.changed(changes):
        assert np.array_equal(hierarchy.table(starts, ends), made(changes))
        with hierarchy.changed(again):
            assert np.array_equal(hierarchy.table(starts, ends), made({**changes, **again}))
        assert np.array_equal(hierarchy.table(starts, ends), made(changes))
    assert np.array_equal(hierarchy.table(starts, ends), before)


@needs_cch
def test_the_order_is_made_once_for_graphs_with_the_same_arcs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = square_grid(4)
    first, slower = (one.graph(("road",)) for one in (net, net.scaled(0.5)))
    made = []
    original = hierarchy._Orders._made.__func__  # type: ignore[attr-defined]

    def counted(cls: type, *what: object) -> object:
        made.append(1)
        return original(cls, *what)

    monkeypatch.setattr(hierarchy._Orders, "_made", classmethod(counted))
    monkeypatch.setattr(hierarchy._Orders, "_kept", type(hierarchy._Orders._kept)())
    everywhere = Entries.at(range(16))
    one = table(first, everywhere, everywhere, engine="cch")
    two = table(slower, everywhere, everywhere, engine="cch")
    assert made == [1]
    assert np.array_equal(two, one * 2)


@needs_cch
def test_a_graph_travels_without_what_engines_keep_with_it() -> None:
    graph = graph_of(3, [(0, 1, 4), (1, 2, 5)])
    for name in TABLES:
        table(graph, Entries.at([0]), Entries.at([2]), engine=name)
    other = pickle.loads(pickle.dumps(graph))  # noqa: S301 - made here
    assert other._cache == {}
    assert graph._cache
    assert table(other, Entries.at([0]), Entries.at([2]), engine="cch").tolist() == [[9]]
