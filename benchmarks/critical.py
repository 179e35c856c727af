"""Close each of 10,000 links, a 33 x 33 matrix each time: urbangeo, and the ways most people take.

Run ``python benchmarks/critical.py``. The peers close a few of the same links and are multiplied:
bare routingkit-cch with its partial update (every closed link, then all 33 x 33 times), bare scipy
(33 searches on the matrix with the arc removed), and the plain way (``net.without`` and
``travel_times``). The answers of ours are compared with all of the plain way's, and with
routingkit-cch's for the links that change something. Exit status 1 if ours takes more than 40 s or
differs anywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, judge
from synthetic import road_like

from urbangeo.access.closures import Closures
from urbangeo.access.entries import entries, vertex_lonlat
from urbangeo.access.hierarchy import Hierarchy
from urbangeo.access.machine import available
from urbangeo.access.times import travel_times
from urbangeo.network.graph import MS

MOST_S = 40.0


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--places", type=int, default=33)
    parser.add_argument("--links", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--check", type=int, default=4, help="links closed in the plain way")
    parser.add_argument("--peer-links", type=int, default=200, help="links for routingkit-cch")
    options = parser.parse_args()

    net = road_like(options.nodes)
    graph = net.graph(("road",))
    rng = np.random.default_rng(1)
    rows = rng.choice(graph.n_nodes, options.places, replace=False)
    points = net.nodes.geometry.iloc[rows].reset_index(drop=True)
    every = np.arange(len(points))
    links = np.sort(rng.choice(net.link_rows, options.links, replace=False))
    print(f"{graph.n_nodes:,} nodes, {graph.n_arcs:,} directed edges, {len(links):,} links, "
          f"{len(points)} x {len(points)} places", flush=True)  # fmt: skip
    whole = Closures(net, points, every, every, ("road",))

    best, changes = np.inf, {}
    for _ in range(options.rounds):
        changes = {}

        def visit(link, i, j, new, into=changes):  # noqa: ANN001
            for row, *pair in zip(link.tolist(), i, j, new, strict=True):
                into.setdefault(row, []).append(pair)

        fresh = Closures(net, points, every, every, ("road",))
        start = time.perf_counter()
        fresh.each(links, visit)
        best = min(best, time.perf_counter() - start)
    print(f"{len(changes)} of the links change a time", flush=True)

    def ours(row: int) -> np.ndarray:
        ms = whole.ms.copy()
        for i, j, new in changes.get(row, []):
            ms[i, j] = new
        return ms

    table = gpd.GeoDataFrame(geometry=points)
    ids = net.links["id"].to_numpy(dtype=object)
    busy = rng.permutation(sorted(changes))
    sample = [*busy[: options.check], *rng.choice(links, options.check)]
    wrong, start = 0, time.perf_counter()
    for row in sample:
        ms = travel_times(net.without(ids[row]), table, table, modes=("road",)).to_numpy() * MS
        ms[np.isnan(ms)] = np.inf
        wrong += not np.allclose(ms, ours(int(row)), atol=0.01)
    per_link = {"the plain way": (time.perf_counter() - start) / len(sample)}

    matrix = graph.matrix()
    row = int(busy[0])
    arcs = whole.thinned.arcs_of(row)
    start = time.perf_counter()
    less = matrix.copy()
    less.data[arcs] = np.inf
    dijkstra(less, indices=rows)
    per_link["scipy, 33 searches"] = time.perf_counter() - start

    if "cch" in available():
        kit = Hierarchy.of(graph, vertex_lonlat(net._tables.lonlat, graph))
        doors = (
            entries(whole.snaps, every, leaving=True),
            entries(whole.snaps, every, leaving=False),
        )
        # places that enter on a closed link are snapped anew, which the peer does not do
        mixed = [*busy[: options.peer_links // 2], *rng.choice(links, options.peer_links // 2)]
        some = [int(row) for row in mixed if not len(whole.resnapping.touched((int(row),))[0])]
        start = time.perf_counter()
        found = []
        for row in some:
            with kit.changed(dict.fromkeys(whole.thinned.arcs_of(row))) as closed:
                found.append(closed.table(*doors))
        per_link["routingkit-cch, partial update"] = (time.perf_counter() - start) / len(some)
        for row, ms in zip(some, found, strict=True):
            wrong += not np.array_equal(np.minimum(ms, whole._direct), ours(row))
        print(f"{len(some)} links compared with routingkit-cch")
    print(f"{len(sample)} links compared with the plain way; {wrong} differ\n")
    print(f"{'urbangeo':32s} {best:10.1f} s")
    for name, each in per_link.items():
        total = each * len(links)
        print(f"{name:32s} {total:10.1f} s   {total / best:8.1f} x urbangeo")
    work = f"{len(links):,} links closed in turn, {options.places} x {options.places} each"
    return judge(
        [Goal(work, "s", best, MOST_S), Goal(f"{work}: answers that differ", "", wrong, 0)]
    )


if __name__ == "__main__":
    raise SystemExit(main())
