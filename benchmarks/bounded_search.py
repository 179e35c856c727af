"""A hundred bounded 60-minute searches: urbangeo, bare scipy, pandana, networkx.

Run ``python benchmarks/bounded_search.py``. All are measured in turn in one run on one network and
given as the least of several rounds; networkx is measured on a few of the origins and multiplied,
since it is slow. ``--world`` takes the road graph of the world that the package scgraph_data ships
instead of a synthetic network.

Bare scipy is a warm loop of ``dijkstra(limit=)`` that fills a dense table. Ours is the list of what
is reached, and beside it the whole question with places, snapping and a dense table. Exit status 1
if the list takes more than 0.6 x bare scipy on one core or 0.35 x on two, less than 100 x faster
than networkx' ego_graph, or less than 3 x faster than pandana.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, clock, judge
from synthetic import road_like

from urbangeo.access import travel_times
from urbangeo.access.entries import Entries
from urbangeo.access.machine import available
from urbangeo.access.searches import reach
from urbangeo.network import Network

CUTOFF_MIN = 60.0
MOST_ONE_CORE = 0.6
MOST_TWO_CORES = 0.35
LEAST_EGO = 100.0
LEAST_PANDANA = 3.0


@contextmanager
def cores(count: int) -> Iterator[None]:
    """Let the process use so many cores, where the system can be told."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--origins", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-origins", type=int, default=5, help="origins for networkx")
    parser.add_argument(
        "--without-pandana", action="store_true", help="which takes minutes to get ready"
    )
    parser.add_argument("--world", action="store_true", help="the road graph of the world")
    options = parser.parse_args()

    net = Network.world((-180, -90, 180, 90)) if options.world else road_like(options.nodes)
    graph = net.graph(("road",))
    print(f"{graph.n_nodes:,} nodes, {graph.n_arcs:,} directed edges", flush=True)
    rng = np.random.default_rng(1)
    main_part = np.flatnonzero(graph.component[: graph.n_nodes] == 0)  # not a lone way point
    rows = rng.choice(main_part, options.origins, replace=False)
    origins = gpd.GeoDataFrame(geometry=net.nodes.geometry.iloc[rows].reset_index(drop=True))
    starts = Entries.at(rows)
    matrix = graph.matrix()
    limit = CUTOFF_MIN * 60_000
    engine = "numba" if "numba" in available() else "scipy"

    def ours() -> object:
        return reach(graph, starts, limit_ms=limit, engine=engine)

    def whole() -> object:
        return travel_times(net, origins, cutoff=CUTOFF_MIN, modes=("road",), engine=engine)

    def bare() -> object:
        out = np.empty((len(rows), graph.n_vertices))
        for place, row in enumerate(rows):
            out[place] = dijkstra(matrix, indices=row, limit=limit)
        return out

    found = reach(graph, starts, limit_ms=limit, engine=engine)
    assert np.array_equal(found.dense(), bare())
    whole()
    print(f"{len(found.vertices) / len(rows):,.0f} nodes within {CUTOFF_MIN:g} min of an origin")
    times: dict[str, list[float]] = {}

    def measure(name: str, work: Callable[[], object], share: float = 1.0) -> None:
        times.setdefault(name, []).append(clock(work) * share)

    few = rows[: options.slow_origins].tolist()
    share = len(rows) / len(few)
    ids = rows.tolist()
    peer = None if options.without_pandana else pandana_of(net)
    for _ in range(options.rounds):
        for count in (1, 2):
            with cores(count):
                measure(f"scipy, warm loop, {count} core(s)", bare)
                measure(f"urbangeo, {count} core(s)", ours)
                measure(f"urbangeo, with places and table, {count} core(s)", whole)
        if peer is not None:
            measure("pandana, nodes_in_range", lambda: peer.nodes_in_range(ids, CUTOFF_MIN))
    tangle = nx.DiGraph()
    tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    tangle.add_weighted_edges_from(zip(tails.tolist(), graph.heads.tolist(),
                                       graph.cost_ms.tolist(), strict=True))  # fmt: skip
    for _ in range(2):
        measure("networkx, cutoff", lambda: [
            nx.single_source_dijkstra_path_length(tangle, one, cutoff=limit) for one in few
        ], share)  # fmt: skip
        measure("networkx, ego_graph", lambda: [
            nx.ego_graph(tangle, one, radius=limit, distance="weight") for one in few
        ], share)  # fmt: skip
    least = {name: min(values) for name, values in times.items()}
    base = least["scipy, warm loop, 1 core(s)"]
    print(f"\n{options.origins} bounded searches, {CUTOFF_MIN:g} minutes")
    for name, value in least.items():
        print(f"{name:46s} {value:9.3f} s   {value / base:8.2f} x scipy")
    one, two = least["urbangeo, 1 core(s)"], least["urbangeo, 2 core(s)"]
    goals = [
        ("x scipy, one core", one / base, MOST_ONE_CORE, False),
        ("x scipy, two cores", two / base, MOST_TWO_CORES, False),
        ("x as fast as ego_graph", least["networkx, ego_graph"] / one, LEAST_EGO, True),
    ]
    if peer is not None:
        pandana = least["pandana, nodes_in_range"]
        goals.append(("x as fast as pandana", pandana / two, LEAST_PANDANA, True))
    where = ", world graph" if options.world else ""
    work = f"{options.origins} bounded searches, {CUTOFF_MIN:g} minutes{where}"
    return judge([Goal(work, *one) for one in goals])


def pandana_of(net: Network) -> Any:
    """Give the same graph to pandana; None where it is not installed."""
    try:
        import pandana as pdna
    except ImportError:
        return None
    import pandas as pd

    graph = net.graph(("road",))
    tails = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    lonlat = pd.DataFrame(net._tables.lonlat, columns=["x", "y"])
    # It counts thousandths in 32 bits: milliseconds would overflow, and never be ready.
    edges = pd.DataFrame({"from": tails, "to": graph.heads, "minutes": graph.cost_ms / 60_000})
    return pdna.Network(
        lonlat["x"], lonlat["y"], edges["from"], edges["to"], edges[["minutes"]], twoway=False
    )


if __name__ == "__main__":
    raise SystemExit(main())
