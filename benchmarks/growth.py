"""How the time of a bounded search grows with the graph: per settled vertex, 20,000 to 5,000,000.

Run ``python benchmarks/growth.py``. The graph is made as arrays, a grid as in ``synthetic.py``, so
that the largest needs about 1 GB. Searches take CPU time, the least of several rounds. Exit status
1 if ours takes more than 2.5 x as long for each vertex on the largest as on the smallest.
"""

from __future__ import annotations

import argparse
import gc
import time

import numpy as np
from goals import Goal, judge
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from urbangeo.access.entries import Entries
from urbangeo.access.machine import available
from urbangeo.access.searches import reach
from urbangeo.network.graph import Graph

MOST = 2.5


def road_like_arrays(nodes: int, seed: int = 7) -> Graph:
    """Make a graph of about ``nodes`` vertices and 2.5 arcs for each, without tables."""
    rng = np.random.default_rng(seed)
    side = round(nodes**0.5)
    corner = np.arange(side * side, dtype=np.int32)
    column, row = corner % side, corner // side
    across, along = corner[column < side - 1], corner[row < side - 1]
    tail = np.concatenate([across, along])
    head = np.concatenate([across + 1, along + side]).astype(np.int32)
    main = np.concatenate([row[across] % 40 == 0, column[along] % 40 == 0])
    kept = main | (rng.random(len(tail)) > 0.37)
    tail, head, main = tail[kept], head[kept], main[kept]
    metres = 250 * rng.uniform(0.6, 1.7, len(tail))
    ms = np.rint(metres * 3600 / np.where(main, 60, 30)).astype(np.int64)
    both = coo_array(
        (np.tile(ms, 2), (np.concatenate([tail, head]), np.concatenate([head, tail]))),
        shape=(side * side, side * side),
    ).tocsr()
    both.sort_indices()
    nothing = np.zeros(both.nnz, dtype=np.int8)
    return Graph(
        n_nodes=side * side,
        layers=("road",),
        indptr=both.indptr.astype(np.int64),
        heads=both.indices.astype(np.int64),
        cost_ms=both.data,
        kind=nothing,
        item=nothing.astype(np.int64),
    )


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[20_000, 200_000, 1_000_000, 5_000_000]
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--origins", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scipy-origins", type=int, default=3)
    options = parser.parse_args()
    engine = "numba" if "numba" in available() else "scipy"
    limit = options.minutes * 60_000
    print(
        f"{'vertices':>10s} {'settled':>10s} {'urbangeo':>12s} {'scipy':>12s}  ns for each settled"
    )
    ours = []
    for size in options.sizes:
        graph = road_like_arrays(size)
        rows = np.random.default_rng(1).choice(graph.n_vertices, options.origins, replace=False)
        starts = Entries.at(rows)

        def search(starts: Entries = starts, graph: Graph = graph) -> int:
            return len(reach(graph, starts, limit_ms=limit, engine=engine, threads=1).vertices)

        settled = search()
        spent = []
        for _ in range(options.rounds):
            start = time.process_time()
            search()
            spent.append((time.process_time() - start) / settled * 1e9)
        matrix, few = graph.matrix(), rows[: options.scipy_origins]
        start = time.process_time()
        reached = sum(
            int(np.isfinite(dijkstra(matrix, indices=one, limit=limit)).sum()) for one in few
        )
        theirs = (time.process_time() - start) / reached * 1e9
        ours.append(min(spent))
        print(
            f"{graph.n_vertices:10,d} {settled / len(rows):10,.0f} {ours[-1]:12.0f} {theirs:12.0f}",
            flush=True,
        )
        del graph, matrix
        gc.collect()
    ratio = ours[-1] / ours[0]
    work = f"a bounded search per settled node, {options.sizes[0]:,} to {options.sizes[-1]:,}"
    return judge([Goal(work, "x the time", ratio, MOST)])


if __name__ == "__main__":
    raise SystemExit(main())
