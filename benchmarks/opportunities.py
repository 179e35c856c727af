"""Cumulative opportunities: 400 facilities to every node, within 60 minutes.

Run ``python benchmarks/opportunities.py``. Each way runs in a process of its own, in turn, so that
its memory can be told: ours, and bare scipy (one bounded search from each facility on the reversed
matrix, added up). pandana asks from every node, 200,000 searches for the 400, so ``--pandana`` asks
it to, for those who have half an hour. The memory is what the process grows by after the network is
there. A floating catchment of 2,000 towns
and the 400 facilities follows, against PySAL's access where it is installed. Exit status 1 if ours
takes more than 4 s or 300 MB, or differs from scipy.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal, judge

MOST_S, MOST_MB = 4.0, 300.0
CUTOFF_MIN = 60.0
WAYS = ("urbangeo", "scipy", "urbangeo, e2sfca", "access, e2sfca")


def status_mb(field: str) -> float:
    """One of the sizes that Linux tells of this process, MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return float(line.split()[1]) / 1e3
    raise LookupError(field)


def peak_from_now() -> float:
    """Forget the peak of this process's memory so far, and give what it holds, MB."""
    if sys.platform != "linux":  # elsewhere the peak so far counts, which hides smaller ones
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return status_mb("VmRSS")


def peak_mb() -> float:
    """Give the peak of this process's memory, MB."""
    return status_mb("VmHWM") if sys.platform == "linux" else peak_from_now()


def run(name: str, nodes: int, facilities: int, towns: int) -> dict[str, float]:
    """Measure one way: seconds, MB, and the sum of the answer."""
    import geopandas as gpd
    import numpy as np
    from synthetic import road_like

    from urbangeo.access.measures import LUO_QI_2009, accessibility

    net = road_like(nodes)
    graph = net.graph(("road",))
    rng = np.random.default_rng(1)
    # a facility on an island may be driven to from the main network, which the peers do not know
    main_nodes = np.flatnonzero(graph.component[: graph.n_nodes] == 0)
    rows = rng.choice(main_nodes, facilities, replace=False)
    points = net.nodes.geometry.iloc[rows].reset_index(drop=True)
    beds = rng.integers(1, 100, facilities).astype(float)
    offered = gpd.GeoDataFrame({"beds": beds}, geometry=points)
    home_rows = rng.choice(main_nodes, towns, replace=False)
    homes = gpd.GeoDataFrame(
        {"people": rng.integers(0, 9999, towns).astype(float)},
        geometry=net.nodes.geometry.iloc[home_rows].reset_index(drop=True),
    )
    limit = CUTOFF_MIN * 60_000
    # searching and snapping once brings in and compiles what is needed
    accessibility(net, offered.iloc[:2], cutoff=1, modes=("road",))
    if name == "scipy":
        from scipy.sparse.csgraph import dijkstra

        back = graph.matrix(reverse=True)

        def work() -> np.ndarray:
            total = np.zeros(graph.n_nodes)
            for row, size in zip(rows, beds, strict=True):
                total[np.isfinite(dijkstra(back, indices=row, limit=limit))] += size
            return total
    elif name == "pandana":
        import pandana
        import pandas as pd

        lonlat = net._tables.lonlat
        tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            street = pandana.Network(
                lonlat[:, 0], lonlat[:, 1], pd.Series(tails), pd.Series(graph.heads),
                pd.DataFrame({"ms": graph.cost_ms.astype(float)}), twoway=False,
            )  # fmt: skip
            street.set(pd.Series(rows), variable=pd.Series(beds), name="beds")

        def work() -> np.ndarray:
            return street.aggregate(limit, type="sum", decay="flat", name="beds").to_numpy()
    elif name == "urbangeo":

        def work() -> np.ndarray:
            found = accessibility(net, offered, size="beds", cutoff=CUTOFF_MIN, modes=("road",))
            return found["within_60"].to_numpy()
    elif name == "urbangeo, e2sfca":

        def work() -> np.ndarray:
            found = accessibility(
                net, offered, homes, "e2sfca", size="beds", population="people", modes=("road",)
            )
            return found["e2sfca"].to_numpy()
    else:
        from access import Access, weights

        from urbangeo.access.times import travel_times

        def work() -> np.ndarray:
            cost = travel_times(net, homes, offered, 30, modes=("road",), form="long")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = Access(
                    demand_df=homes[["people"]].rename_axis("geoid"), demand_index=True,
                    demand_value="people",
                    supply_df=offered[["beds"]].rename_axis("geoid"), supply_index=True,
                    supply_value=["beds"],
                    cost_df=cost, cost_origin="origin", cost_dest="destination",
                    cost_name="minutes",
                )  # fmt: skip
                found = made.enhanced_two_stage_fca(
                    weight_fn=weights.step_fn({int(a): b for a, b in LUO_QI_2009}), max_cost=30
                )
            return found["e2sfca_beds"].reindex(homes.index).fillna(0).to_numpy()

    before = peak_from_now()
    best, total = float("inf"), 0.0
    for _ in range(2):
        start = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - start)
        total = float(answer[np.isfinite(answer)].sum())
    return {"s": best, "mb": peak_mb() - before, "sum": total}


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--facilities", type=int, default=400)
    parser.add_argument("--towns", type=int, default=2_000)
    parser.add_argument("--skip", nargs="*", default=[], help="ways to leave out")
    parser.add_argument("--pandana", action="store_true", help="ask pandana too; half an hour")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = options.nodes, options.facilities, options.towns
    if options.only:
        print(json.dumps(run(options.only, *sizes)))
        return 0
    found: dict[str, dict[str, float]] = {}
    for name in (*WAYS, *["pandana"] * options.pandana):
        if name in options.skip:
            continue
        given = [f"--{one}={getattr(options, one)}" for one in ("nodes", "facilities", "towns")]
        command = [sys.executable, __file__, "--only", name, *given]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}", flush=True)
        else:
            found[name] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{'':20s} {'s':>8s} {'MB':>8s}   x ours   sum of the answer")
    for name, one in found.items():
        ours = found["urbangeo, e2sfca" if "e2sfca" in name else "urbangeo"]
        print(f"{name:20s} {one['s']:8.2f} {one['mb']:8.0f} {one['s'] / ours['s']:8.2f}   "
              f"{one['sum']:.6g}")  # fmt: skip
    ours = found["urbangeo"]
    work = f"cumulative opportunities, {options.facilities} facilities to every node"
    goals = [Goal(work, "s", ours["s"], MOST_S), Goal(work, "MB", ours["mb"], MOST_MB)]
    if "scipy" in found:
        apart = abs(found["scipy"]["sum"] / ours["sum"] - 1)
        goals.append(Goal(f"{work}: apart from scipy", "share", apart, 1e-6))
    return judge(goals)


if __name__ == "__main__":
    raise SystemExit(main())
