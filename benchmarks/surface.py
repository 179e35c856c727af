"""One circle with 2,000 towns, its surface at 250 m and its polygon; how right it is; convex hull.

Run ``python benchmarks/surface.py``. On a synthetic network of about 200,000 nodes and 500,000
directed edges (see ``synthetic.py``) the least of several rounds is given, and of random points on
the roads, none of them a node, how many are drawn on the wrong side: by our polygon, and by the
convex hull of the reached nodes, which most people draw. Peak memory is that of the whole process.
Exit status 1 if it takes longer than 1.5 s, more than 0.5 % of the points within the polygon are
reached too late, or more than 1 % of those reached in time lie outside it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, clock, judge
from synthetic import road_like

from urbangeo.access import commuting_circle, travel_times
from urbangeo.access.isochrones import time_surface
from urbangeo.access.machine import available

CUTOFF_MIN = 60.0
MOST_S, MOST_INSIDE, MOST_OUTSIDE = 1.5, 0.005, 0.01


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--towns", type=int, default=2000)
    parser.add_argument("--points", type=int, default=100_000, help="held out, on the roads")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    net = road_like(options.nodes)
    graph = net.graph(("road",))
    print(f"{graph.n_nodes:,} nodes, {graph.n_arcs:,} directed edges", flush=True)
    west, south, east, north = net.bounds
    centre = ((west + east) / 2, (south + north) / 2)
    rng = np.random.default_rng(1)
    towns = gpd.GeoDataFrame(
        {"name": np.char.add("t", np.arange(options.towns).astype(str))},
        geometry=gpd.points_from_xy(
            rng.uniform(west, east, options.towns), rng.uniform(south, north, options.towns)
        ),
        crs=4326,
    )
    steps: dict[str, list[float]] = {"circle": [], "surface": [], "polygon": []}
    for _ in range(options.rounds + 1):
        start = time.perf_counter()
        circle = commuting_circle(centre, CUTOFF_MIN, net, places=towns, modes=("road",))
        inside = len(circle.inside)
        made = time.perf_counter()
        surface = circle.surface()
        spread_out = time.perf_counter()
        shape = surface.inside(CUTOFF_MIN)
        ended = time.perf_counter()
        for name, took in zip(
            steps, (made - start, spread_out - made, ended - spread_out), strict=True
        ):
            steps[name].append(took)
    first = sum(one[0] for one in steps.values())  # with what is compiled and indexed once
    least = {name: min(one[1:]) for name, one in steps.items()}
    total = min(map(sum, zip(*(one[1:] for one in steps.values()), strict=True)))
    rows, columns = surface.minutes.shape
    engine = "" if "numba" in available() else "; without numba"
    print(f"\n{inside} of {options.towns} towns inside; surface of {rows} x {columns} cells of "
          f"{surface.cell_m:g} m, to {surface.limit_min:g} min{engine}")  # fmt: skip
    for name, took in least.items():
        print(f"{name:22s} {took:9.3f} s")
    bare = min(clock(lambda: dijkstra(graph.matrix(), indices=0)) for _ in range(options.rounds))
    print(f"{'in all':22s} {total:9.3f} s   {total / bare:8.2f} x one search of the whole network "
          f"by scipy; first time {first:.1f} s")  # fmt: skip

    start = time.perf_counter()
    again = time_surface(net, centre, CUTOFF_MIN, direction="to", modes=("road",))
    again.inside(CUTOFF_MIN)
    print(f"{'time_surface to 60 min':22s} {time.perf_counter() - start:9.3f} s")

    lines = net.links.geometry.to_numpy()[rng.integers(0, len(net.link_rows), options.points)]
    place = rng.uniform(0.02, 0.98, options.points)
    spots = shapely.line_interpolate_point(lines, place, normalized=True)
    xy = shapely.get_coordinates(spots)
    asked = travel_times(net, gpd.GeoSeries(spots, crs=4326), centre, modes=("road",))
    reached = asked.to_numpy()[:, 0] <= CUTOFF_MIN
    at_nodes = travel_times(net, net.nodes[["geometry"]], centre, modes=("road",), cutoff=60)
    known = np.isfinite(at_nodes.to_numpy()[:, 0])
    hull = shapely.convex_hull(shapely.multipoints(net._tables.lonlat[known]))
    shares = {}
    print(f"\n{options.points:,} points on the roads, {reached.mean():.1%} within "
          f"{CUTOFF_MIN:g} min   falsely inside   falsely outside")  # fmt: skip
    for name, area in (("urbangeo", shape), ("convex hull of nodes", hull)):
        shapely.prepare(area)
        drawn = shapely.contains_xy(area, xy)
        shares[name] = (
            (drawn & ~reached).sum() / drawn.sum(),
            (~drawn & reached).sum() / reached.sum(),
        )
        print(f"{name:44s} {shares[name][0]:14.2%}   {shares[name][1]:15.2%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory {peak:,.0f} MB")
    wrong_in, wrong_out = shares["urbangeo"]
    work = f"a circle with {options.towns:,} towns, surface at 250 m, polygon"
    return judge(
        [
            Goal(work, "s", total, MOST_S),
            Goal(f"{work}: falsely inside", "share", float(wrong_in), MOST_INSIDE),
            Goal(f"{work}: falsely outside", "share", float(wrong_out), MOST_OUTSIDE),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
