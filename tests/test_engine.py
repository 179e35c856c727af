"""The engines: each gives the same whole milliseconds, and the right ones."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from grids import link, network, node, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from urbangeo.access import engine
from urbangeo.access.engine import Entries, Hierarchy, choose, entries, reach, reach_dense, table
from urbangeo.errors import InputError
from urbangeo.network import Network
from urbangeo.network.graph import ArcKind, Arcs, Graph, build_graph
from urbangeo.network.snap import snap

SEARCHING = [one for one in ("scipy", "numba") if one in engine.available()]
TABLES = [one for one in engine.ENGINES if one in engine.available()]
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
    original = engine._Orders._made.__func__  # type: ignore[attr-defined]

    def counted(cls: type, *what: object) -> object:
        made.append(1)
        return original(cls, *what)

    monkeypatch.setattr(engine._Orders, "_made", classmethod(counted))
    monkeypatch.setattr(engine._Orders, "_kept", type(engine._Orders._kept)())
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
        where = engine.vertex_lonlat(net._tables.lonlat, graph)
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


def test_halls_and_platforms_stand_at_their_station() -> None:
    from grids import service

    nodes = [node("S", 107.0, 27.0, "station"), node("T", 108.0, 27.5, "station")]
    net = network(nodes, [link("S", "T", 120)], service("G", ["S", "T"], [30]))
    graph = net.graph(("road", "rail"))
    where = engine.vertex_lonlat(net._tables.lonlat, graph)
    assert graph.n_vertices == 2 + 4  # a hall and a platform each
    assert sorted(map(tuple, where.tolist())) == 3 * [(107.0, 27.0)] + 3 * [(108.0, 27.5)]


def test_a_search_holds_no_more_than_it_reaches() -> None:
    chain = graph_of(1000, [(i, i + 1, 10) for i in range(999)])
    for name in SEARCHING:
        found = reach(chain, Entries.at([0, 500, 999]), limit_ms=30, engine=name)
        assert found.offsets.tolist() == [0, 4, 8, 9]
        assert sorted(found.vertices[:4].tolist()) == [0, 1, 2, 3]
        assert found.dense()[1, 500:504].tolist() == [0, 10, 20, 30]


@needs_numba
def test_kernels_are_right_as_plain_python_too() -> None:
    """Follow the compiled functions step by step, which also shows them to a debugger."""
    graph = graph_of(5, [(0, 1, 5), (0, 2, 2), (2, 1, 2), (1, 3, 1), (3, 0, 9), (2, 3, 3)])
    plain = (engine._settle, engine._tree, engine._gather, engine._clear)
    packed = engine._packed(graph, reverse=False)
    room = engine._Room(5, graph.n_arcs)
    start = Entries.at([0])
    count = room.settle(plain, packed, start.vertices, start.costs, 100, room.mark, 0)
    assert {int(v): int((room.label[v] >> 1) - 1) for v in room.order[:count]} == {
        0: 0, 1: 4, 2: 2, 3: 5,
    }  # fmt: skip
    engine._tree(
        packed.indptr, packed.arcs, start.vertices, start.costs,
        room.label, room.order, count, room.before,
    )  # fmt: skip
    # 3 is come to from 1 (4 + 1) and from 2 (2 + 3): the lower number stands
    assert room.before[:4].tolist() == [-2, 2, 0, 1]
    out = np.full(2, np.inf)
    ends = Entries(np.array([0, 2, 3]), np.array([1, 3, 4]), np.array([7, 1, 0]))
    engine._gather(room.label, ends.offsets, ends.vertices, ends.costs, 100, out)
    assert out.tolist() == [6, np.inf]
    ms, row = np.empty(count, dtype=np.int64), np.full(4, np.nan)
    engine._clear(room.label, room.order, count, ms, row, 2.0)
    assert row.tolist() == [0, 2, 1, 2.5]
    assert not room.label.any()


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


def test_without_the_wheels_scipy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_module", lambda name: None)
    graph = graph_of(3, [(0, 1, 4), (1, 2, 5)])
    assert engine.available() == ("scipy",)
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
    monkeypatch.setattr(engine, "_module", lambda name: object())
    monkeypatch.setattr(engine._Kernels, "loaded", False)
    monkeypatch.setattr(engine._Orders, "_kept", {})
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


@needs_numba
@pytest.mark.parametrize("place", ["none", "no folder", "writable"])
def test_a_read_only_installation_works(tmp_path: Path, place: str) -> None:
    """Without a place for machine code it is compiled for the process, and nothing is said."""
    code = """
        import sys
        import numba.core.caching as caching
        if sys.argv[1] == "none":
            caching.CacheImpl._locator_classes = []
        from urbangeo.access.engine import Entries, reach
        from urbangeo.network.graph import ArcKind, Arcs, build_graph
        import numpy as np
        one = np.array([0]), np.array([1]), np.array([7.0])
        graph = build_graph(2, ("road",), 2, Arcs.of(*one, ArcKind.ROAD))
        print(reach(graph, Entries.at([0]), engine="numba").ms.tolist())
    """
    (tmp_path / "file").touch()
    kept = tmp_path / ("file/kept" if place == "no folder" else "kept")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), place],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": str(kept)},
    )
    assert done.stdout == "[0, 7]\n", done.stderr
    assert kept.exists() == (place == "writable")
