"""A hundred bounded 60-minute searches: urbangeo, bare scipy, networkx.

Run ``python benchmarks/bounded_search.py``. All are measured in one run on one network, in turn,
and given as the least of several rounds; networkx is measured on a few of the origins and
multiplied, since it is slow. Exit status 1 if ours takes more than 1.2 x bare scipy.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))

from synthetic import road_like

from urbangeo.access import travel_times

CUTOFF_MIN = 60.0
MOST = 1.2


def clock(work: Callable[[], object]) -> float:
    """Time one call, seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--origins", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-origins", type=int, default=5, help="origins for networkx")
    options = parser.parse_args()

    net = road_like(options.nodes)
    graph = net.graph(("road",))
    print(f"{graph.n_nodes:,} nodes, {graph.n_arcs:,} directed edges", flush=True)
    rng = np.random.default_rng(1)
    rows = rng.choice(graph.n_nodes, options.origins, replace=False)
    origins = gpd.GeoDataFrame(geometry=net.nodes.geometry.iloc[rows].reset_index(drop=True))
    matrix = graph.matrix()
    limit = CUTOFF_MIN * 60_000

    def ours() -> object:
        return travel_times(net, origins, cutoff=CUTOFF_MIN, modes=("road",))

    def bare() -> object:
        out = np.empty((len(rows), graph.n_vertices))
        for place, row in enumerate(rows):
            out[place] = dijkstra(matrix, indices=row, limit=limit)
        return out

    difference = np.nanmax(np.abs(ours().to_numpy() * 60_000 - np.where(
        np.isfinite(table := bare()), table, np.nan)))  # fmt: skip
    reached = int(np.isfinite(table).sum(axis=1).mean())
    print(f"{reached:,} nodes within {CUTOFF_MIN:g} min of an origin; "
          f"largest difference {difference:g} ms")  # fmt: skip
    times: dict[str, list[float]] = {"urbangeo": [], "scipy, warm loop": []}
    for _ in range(options.rounds):
        times["urbangeo"].append(clock(ours))
        times["scipy, warm loop"].append(clock(bare))

    tangle = nx.DiGraph()
    tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    tangle.add_weighted_edges_from(zip(tails.tolist(), graph.heads.tolist(),
                                       graph.cost_ms.tolist(), strict=True))  # fmt: skip
    few = rows[: options.slow_origins].tolist()
    share = len(rows) / len(few)

    def cutoff_search() -> object:
        return [nx.single_source_dijkstra_path_length(tangle, one, cutoff=limit) for one in few]

    def ego() -> object:
        return [nx.ego_graph(tangle, one, radius=limit, distance="weight") for one in few]

    times["networkx, cutoff"] = [clock(cutoff_search) * share]
    times["networkx, ego_graph"] = [clock(ego) * share]
    least = {name: min(values) for name, values in times.items()}
    base = least["scipy, warm loop"]
    print(f"\n{options.origins} bounded searches, {CUTOFF_MIN:g} minutes")
    for name, value in least.items():
        print(f"{name:22s} {value:9.3f} s   {value / base:8.2f} x scipy")
    ratio = least["urbangeo"] / base
    print(f"\nurbangeo / scipy = {ratio:.2f}; at most {MOST}")
    return int(ratio > MOST)


if __name__ == "__main__":
    raise SystemExit(main())
