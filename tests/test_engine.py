"""The engines: each gives the same whole milliseconds, and the right ones."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tangles import SEARCHING, TABLES, by_networkx, entries_of, graph_of, tangles

from urbangeo.access import hierarchy, machine
from urbangeo.access.engine import choose, table
from urbangeo.access.entries import Entries, entries, vertex_lonlat
from urbangeo.access.kernels import Kernels
from urbangeo.access.searches import reach, reach_dense
from urbangeo.errors import InputError
from urbangeo.network import Network
from urbangeo.network.snap import snap


@given(st.data(), st.sampled_from([np.inf, 0, 17.5, 60]))
@settings(max_examples=150, deadline=None)
def test_every_engine_equals_networkx(data: st.DataObject, limit: float) -> None:
    n, arcs = data.draw(tangles())
    starts, ends = data.draw(entries_of(n)), data.draw(entries_of(n))
    expected = by_networkx(n, arcs, starts, ends)
    expected[expected > limit] = np.inf
    graph = graph_of(n, arcs)
    for name in TABLES:
        found = table(graph, starts, ends, limit_ms=limit, engine=name)
        assert np.array_equal(found, expected), name


@pytest.mark.parametrize("year", [2022, 2035])
def test_engines_agree_on_the_bundled_network(year: int) -> None:
    net = Network.backbone(year)
    nodes = net.nodes
    for modes in (("road",), ("road", "rail")):
        graph = net.graph(modes)
        spots = nodes.geometry[nodes["kind"] == "place"]
        some = spots.iloc[:: max(1, len(spots) // 30)].reset_index(drop=True)
        snaps = snap(net, some, modes)
        points = np.arange(len(some))
        starts, ends = (entries(snaps, points, leaving=one) for one in (True, False))
        where = vertex_lonlat(net._tables.lonlat, graph)
        tables = [table(graph, starts, ends, lonlat=where, engine=one) for one in TABLES]
        trees = [reach(graph, starts, paths=True, engine=one) for one in SEARCHING]
        assert np.isfinite(tables[0]).mean() > 0.5
        for one in tables[1:]:
            assert np.array_equal(one, tables[0])
        for one in trees[1:]:
            assert np.array_equal(one.dense(), trees[0].dense())
        # one row against networkx, from the arcs themselves
        tangle = nx.DiGraph()
        tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
        for tail, head, ms in zip(tails, graph.heads, graph.cost_ms, strict=True):
            tangle.add_edge(int(tail), int(head), ms=int(ms))
        first = starts.part(0, 1)
        for vertex, ms in zip(first.vertices, first.costs, strict=True):
            tangle.add_edge("start", int(vertex), ms=int(ms))
        theirs = nx.single_source_dijkstra_path_length(tangle, "start", weight="ms")
        ours = trees[0].dense()[0]
        assert {int(v): int(ours[v]) for v in np.flatnonzero(np.isfinite(ours))} == {
            key: ms for key, ms in theirs.items() if key != "start"
        }


def test_without_the_wheels_scipy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "optional", lambda name: None)
    graph = graph_of(3, [(0, 1, 4), (1, 2, 5)])
    assert machine.available() == ("scipy",)
    assert choose(graph, 10**6, is_table=True) == "scipy"
    assert table(graph, Entries.at([0]), Entries.at([2])).tolist() == [[9]]
    for name in ("numba", "cch"):
        with pytest.raises(InputError, match=r"not installed: pip install 'urbangeo\[scale\]'"):
            table(graph, Entries.at([0]), Entries.at([2]), engine=name)


def test_unknown_engines_are_named() -> None:
    graph = graph_of(2, [(0, 1, 4)])
    with pytest.raises(InputError, match=r"'fast'; expected one of scipy, numba, cch"):
        table(graph, Entries.at([0]), Entries.at([1]), engine="fast")
    with pytest.raises(InputError, match=r"'cch'; expected one of scipy, numba, or None"):
        reach(graph, Entries.at([0]), engine="cch")


def test_costs_that_are_too_large_go_to_scipy() -> None:
    graph = graph_of(3, [(0, 1, 2**40), (1, 2, 7)])
    assert choose(graph, 10**7, is_table=True) == "scipy"
    assert choose(graph, 10**7, is_table=False) == "scipy"
    assert table(graph, Entries.at([0]), Entries.at([2])).tolist() == [[2**40 + 7]]
    if "numba" in SEARCHING:
        with pytest.raises(InputError, match="596 hours"):
            reach(graph, Entries.at([0]), engine="numba")


def test_the_shape_of_the_question_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "optional", lambda name: object())
    monkeypatch.setattr(Kernels, "loaded", False)
    monkeypatch.setattr(hierarchy._Orders, "_kept", {})
    small = graph_of(3, [(0, 1, 4)])
    large = graph_of(60_000, [(0, 1, 4)])
    hour = 3_600_000.0
    assert choose(small, 1, is_table=False) == "scipy"  # not worth loading numba
    assert choose(large, 1, limit_ms=hour, is_table=False) == "numba"
    assert choose(small, 10**6, is_table=False) == "numba"
    assert choose(large, 400, is_table=True) == "cch"
    assert choose(large, 20, is_table=True) == "numba"  # ordering would take longer
    assert choose(large, 400, limit_ms=hour, is_table=True) == "numba"
    large._cache["hierarchy"] = object()
    assert choose(large, 20, is_table=True) == "cch"  # the order is there
    assert choose(large, 400, limit_ms=hour, is_table=True) == "cch"


def test_nothing_asked_gives_nothing() -> None:
    graph = graph_of(3, [(0, 1, 4)])
    none = Entries.at([])
    for name in TABLES:
        assert table(graph, none, Entries.at([0, 1]), engine=name).shape == (0, 2)
        assert table(graph, Entries.at([0, 1]), none, engine=name).shape == (2, 0)
    for name in SEARCHING:
        assert reach(graph, none, paths=True, engine=name).offsets.tolist() == [0]
        assert reach_dense(graph, none, engine=name).shape == (0, 3)
