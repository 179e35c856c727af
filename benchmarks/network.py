"""The network at rest: loading the cache, snapping many points, making scenarios.

Run ``python benchmarks/network.py``. Beside each stands a peer that does the nearest thing:
``geopandas.read_parquet`` of the same links, ``geopandas.sjoin_nearest`` of the same points onto
the same lines, and a copy of the tables. Exit status 1 if a limit is missed: a million directed
edges loaded within 1 s, 100,000 points onto 500,000 roads within 5 s, index and drawn lines
included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
from shapely.geometry import LineString

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, clock, judge
from synthetic import road_like

from urbangeo.network import Network
from urbangeo.network.snap import snap

LOAD_S, SNAP_S = 1.0, 5.0


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=400_000)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.parquet"
        made = road_like(options.nodes)
        made.write(path)
        plain = Path(folder) / "links.parquet"
        made.links.to_parquet(plain)
        arcs = made.graph(("road",)).n_arcs
        print(f"{len(made.nodes):,} nodes, {len(made.links):,} links, {arcs:,} directed edges")
        load = min(clock(lambda: Network.read(path)) for _ in range(options.rounds))
        peer = min(clock(lambda: gpd.read_parquet(plain)) for _ in range(options.rounds))
        print(f"load the cache            {load:7.3f} s   geopandas.read_parquet {peer:7.3f} s   "
              f"{load / peer:5.2f} x")  # fmt: skip

        rng = np.random.default_rng(1)
        west, south, east, north = made.bounds
        points = gpd.GeoSeries(
            gpd.points_from_xy(
                rng.uniform(west, east, options.points), rng.uniform(south, north, options.points)
            ),
            crs=4326,
        )

        def ours() -> float:
            net = Network.read(path)
            net.graph(("road",))
            return clock(lambda: snap(net, points, ("road",)))

        lines = made.links.to_crs(3857)[["id", "geometry"]]
        spots = gpd.GeoDataFrame(geometry=points.to_crs(3857))

        def theirs() -> float:
            fresh = lines.copy(deep=True)
            return clock(lambda: gpd.sjoin_nearest(spots, fresh, distance_col="metres"))

        snapped = min(ours() for _ in range(options.rounds))
        peer = min(theirs() for _ in range(options.rounds))
        print(f"snap {options.points:,} points       {snapped:7.3f} s   geopandas.sjoin_nearest "
              f"{peer:7.3f} s   {snapped / peer:5.2f} x")  # fmt: skip

    some = made.links["id"].iloc[:100].tolist()
    drawn = gpd.GeoDataFrame(
        {"class": ["national"]},
        geometry=[LineString([(west + 0.1, south + 0.1), (east - 0.1, north - 0.1)])],
        crs=4326,
    )
    made.with_links(drawn)  # the index of roads is made once
    peer = min(clock(lambda: made.links) for _ in range(options.rounds))
    for name, work in (
        ("scaled(0.9)", lambda: made.scaled(0.9)),
        ("without(100 links)", lambda: made.without(some)),
        ("with_links(a drawn line)", lambda: made.with_links(drawn)),
    ):
        took = min(clock(work) for _ in range(options.rounds))
        print(f"{name:25s} {took:7.3f} s   copying the links {peer:7.3f} s   {took / peer:5.2f} x")
    many = f"{options.points:,} points onto {arcs // 2:,} roads"
    return judge([Goal("load the cache", "s", load, LOAD_S), Goal(many, "s", snapped, SNAP_S)])


if __name__ == "__main__":
    raise SystemExit(main())
