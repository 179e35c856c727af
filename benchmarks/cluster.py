"""One Dask worker and two: the same matrix, streamed to files.

Run ``python benchmarks/cluster.py`` on a machine with two free cores. Workers are processes with
one thread each; starting them, and their first search, which loads the compiled code, are not
counted. Exit status 1 if two are less than 1.8 x as fast as one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
from distributed import Client, LocalCluster

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, judge
from synthetic import road_like

from urbangeo.access.matrix import travel_time_matrix

LEAST = 1.8


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--origins", type=int, default=1000)
    parser.add_argument("--destinations", type=int, default=600)
    parser.add_argument("--block", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    net = road_like(options.nodes)
    points = net.nodes.geometry
    rng = np.random.default_rng(1)

    def some(count: int) -> gpd.GeoDataFrame:
        rows = rng.choice(len(points), count, replace=False)
        return gpd.GeoDataFrame(geometry=points.iloc[rows].reset_index(drop=True))

    begin, end = some(options.origins), some(options.destinations)
    least: dict[int, float] = {}
    clusters = {}
    folder = Path(tempfile.mkdtemp())
    try:
        for count in (1, 2):
            made = LocalCluster(
                n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            )
            clusters[count] = (made, Client(made))

        def run(count: int, origins: gpd.GeoDataFrame) -> float:
            where = folder / "matrix"
            start = time.perf_counter()
            travel_time_matrix(
                net, origins, end, where, modes=("road",), block=options.block,
                client=clusters[count][1], engine="numba",
            )  # fmt: skip
            spent = time.perf_counter() - start
            shutil.rmtree(where)
            return spent

        for count in (1, 2):
            run(count, begin.iloc[: 4 * options.block])
        for _ in range(options.rounds):
            for count in (1, 2):
                spent = run(count, begin)
                least[count] = min(spent, least.get(count, spent))
    finally:
        for made, client in clusters.values():
            client.close()
            made.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.origins} x {options.destinations} on {len(points):,} nodes")
    for count, spent in least.items():
        print(f"{count} worker(s) {spent:8.2f} s")
    ratio = least[1] / least[2]
    work = f"{options.origins} x {options.destinations} matrix, two Dask workers"
    return judge([Goal(work, "x as fast as one worker", ratio, LEAST, at_least=True)])


if __name__ == "__main__":
    raise SystemExit(main())
