"""Who is inside? One circle without ways and polygon, against the bare search beneath it.

Run ``python benchmarks/membership.py``. On the bundled skeleton with its gazetteer, and on a
synthetic network with 2,000 towns, each loaded and asked once before. Both are measured in turn
in one run and given as the least of several rounds. Exit status 1 if an answer takes more than
50 ms.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import Point

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, clock, judge
from synthetic import road_like

from urbangeo.access import commuting_circle
from urbangeo.access.points import PlaceLike, as_points
from urbangeo.network import Network

CUTOFF_MIN = 60.0
MOST_MS = 50.0


def measure(title: str, net: Network, centre: PlaceLike, places: PlaceLike, rounds: int) -> float:
    """Print a line for one network; milliseconds of an answer."""
    modes = ("road", "rail") if len(net.services) else ("road",)
    graph = net.graph(modes)
    matrix = graph.matrix(reverse=True)
    xy = net._tables.lonlat
    point = as_points(centre).geometry.iloc[0]
    apart = np.hypot(xy[:, 0] - point.x, xy[:, 1] - point.y)
    apart[graph.component[: graph.n_nodes] != 0] = np.inf  # a cut-off node would reach nothing
    nearest = int(np.argmin(apart))

    def ask() -> gpd.GeoDataFrame:
        return commuting_circle(centre, CUTOFF_MIN, net, places=places, modes=modes).inside

    def bare() -> object:
        return dijkstra(matrix, indices=nearest, limit=CUTOFF_MIN * 60_000)

    found = len(ask())
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(clock(bare) * 1000)
        ours.append(clock(ask) * 1000)
    mine, base = min(ours), min(theirs)
    print(
        f"{title:10s} {graph.n_vertices:>9,} vertices {found:>6,} inside: "
        f"{mine:6.1f} ms, bare scipy search {base:6.1f} ms, {mine / base:5.2f} x",
        flush=True,
    )
    return mine


def main() -> int:
    """Measure both and tell whether they were quick enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--towns", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()

    from urbangeo.places import places

    seats = places(kinds=("county_seat", "town"))
    on_skeleton = measure("skeleton", Network.backbone(2022), "贵阳", seats, options.rounds)
    net = road_like(options.nodes)
    west, south, east, north = net.bounds
    rng = np.random.default_rng(3)
    xy = rng.uniform((west, south), (east, north), (options.towns, 2))
    towns = gpd.GeoDataFrame(
        {"name": [f"t{one}" for one in range(len(xy))]},
        geometry=[Point(*one) for one in xy],
        crs=4326,
    )
    centre = ((west + east) / 2, (south + north) / 2)
    on_synthetic = measure("synthetic", net, centre, towns, options.rounds)
    return judge(
        [
            Goal(f"who is inside, {len(seats)} places of the skeleton", "ms", on_skeleton, MOST_MS),
            Goal(f"who is inside, {options.towns:,} towns", "ms", on_synthetic, MOST_MS),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
