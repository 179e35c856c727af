"""A 400 x 400 table of times: urbangeo, bare routingkit-cch, pandana, scipy.

Run ``python benchmarks/matrix.py``. All are measured in turn in one run on one network, after their
preparation, which is given beside them, and as the least of several rounds; scipy is measured on a
few of the origins and multiplied. Exit status 1 if ours takes more than 1.2 x bare routingkit-cch,
or is less than 3 x faster than pandana.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import routingkit_cch
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))

from bounded_search import pandana_of
from goals import Goal, clock, judge
from synthetic import road_like

from urbangeo.access import travel_times
from urbangeo.access.engine import table
from urbangeo.access.entries import Entries, vertex_lonlat
from urbangeo.access.hierarchy import Hierarchy

MOST_CCH = 1.2
LEAST_PANDANA = 3.0


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--places", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-origins", type=int, default=10, help="origins for scipy")
    parser.add_argument("--without-pandana", action="store_true")
    options = parser.parse_args()

    net = road_like(options.nodes)
    graph = net.graph(("road",))
    print(f"{graph.n_nodes:,} nodes, {graph.n_arcs:,} directed edges", flush=True)
    rng = np.random.default_rng(1)
    # of the main network, since pandana spends its time telling of what is not connected
    main_part = np.flatnonzero(graph.component[: graph.n_nodes] == 0)
    begin, end = (rng.choice(main_part, options.places, replace=False) for _ in range(2))
    where = vertex_lonlat(net._tables.lonlat, graph)
    ready = clock(lambda: Hierarchy.of(graph, where))
    print(f"hierarchy made in {ready:.1f} s", flush=True)
    points = net.nodes.geometry
    origins, destinations = (
        gpd.GeoDataFrame(geometry=points.iloc[rows].reset_index(drop=True)) for rows in (begin, end)
    )

    # bare: the same order, and nothing but its own calls
    tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    order = Hierarchy.of(graph).order.tolist()
    base = routingkit_cch.CCH(order, tails.tolist(), graph.heads.tolist(), False)
    metric = routingkit_cch.CCHMetric(base, graph.cost_ms.tolist())
    sources, targets = begin.tolist(), end.tolist()

    def bare() -> object:
        query = routingkit_cch.CCHOneToMany(metric, targets)
        return [query.distances_from(one) for one in sources]

    starts, ends = Entries.at(begin), Entries.at(end)

    def ours() -> np.ndarray:
        return table(graph, starts, ends, lonlat=where, engine="cch")

    def whole() -> object:
        return travel_times(net, origins, destinations, modes=("road",), engine="cch")

    theirs = np.array(bare(), dtype=float)
    assert np.array_equal(np.nan_to_num(theirs, nan=np.inf), ours())
    whole()
    matrix = graph.matrix()
    few = begin[: options.slow_origins]
    peer = None if options.without_pandana else pandana_of(net)
    pairs = [np.repeat(begin, len(end)), np.tile(end, len(begin))]
    works = {"routingkit-cch, bare": bare, "urbangeo": ours, "urbangeo, with places": whole}
    if peer is not None:
        works["pandana"] = lambda: peer.shortest_path_lengths(*pairs)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(options.rounds):
        for name, work in works.items():
            times[name].append(clock(work))
    least = {name: min(values) for name, values in times.items()}
    least["scipy"] = clock(lambda: dijkstra(matrix, indices=few)) * len(begin) / len(few)
    print(f"\n{options.places} x {options.places} table")
    for name, value in least.items():
        print(f"{name:24s} {value:9.3f} s   {value / least['routingkit-cch, bare']:8.2f} x bare")
    ratio = least["urbangeo"] / least["routingkit-cch, bare"]
    work = f"{options.places} x {options.places} matrix"
    goals = [Goal(work, "x bare routingkit-cch", ratio, MOST_CCH)]
    if peer is not None:
        faster = least["pandana"] / least["urbangeo"]
        goals.append(Goal(work, "x as fast as pandana", faster, LEAST_PANDANA, at_least=True))
    return judge(goals)


if __name__ == "__main__":
    raise SystemExit(main())
