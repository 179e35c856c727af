"""From an OpenStreetMap file to a graph of roads: urbangeo, pyrosm, OSMnx.

Run ``python benchmarks/ingest.py``. A synthetic extract is written first (see
``scripts/make_synthetic_pbf.py``), or ``--file`` names one. Each reader runs in a process of its
own, in turn, and is given as the least time of several rounds, without its imports, and the peak
of its memory. The same roads are read: ``driving+service`` for pyrosm; OSMnx, which reads neither
PBF nor selects, gets an ``.osm`` of these roads only. Ours ends with the sparse matrix of travel
times in which paths are searched, theirs with the graph. Exit status 1 if ours takes longer than
the fastest of the others on the same file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goals import Goal, judge

HERE = Path(__file__).parent
MOST = 1.0
READERS = {
    "urbangeo": "pbf",
    "pyrosm, igraph": "pbf",
    "pyrosm, networkx": "pbf",
    "urbangeo (xml)": "osm",
    "osmnx, networkx": "osm",
}


def run(name: str, path: Path) -> tuple[float, int, int]:
    """Read a file with one reader: seconds, nodes, directed edges."""
    if name.startswith("urbangeo"):
        import numpy as np
        import osmium  # noqa: F401 - imported before the clock starts, as for the others
        import scipy.spatial  # noqa: F401
        from scipy.sparse import coo_matrix

        from urbangeo.network.osm import read_osm
        from urbangeo.network.osmtags import CHINA_KMH

        start = time.perf_counter()
        tables = read_osm(path, speeds=CHINA_KMH)
        minutes = (tables.links["length_m"] * 0.06 / tables.links["speed_kmh"]).to_numpy()
        both = ~tables.links["oneway"].to_numpy()
        n = len(tables.nodes)
        one, other = tables.tail, tables.head
        cost = np.concatenate([minutes, minutes[both]])
        place = (np.concatenate([one, other[both]]), np.concatenate([other, one[both]]))
        graph = coo_matrix((cost, place), shape=(n, n)).tocsr()
        return time.perf_counter() - start, n, graph.nnz
    if name.startswith("pyrosm"):
        import pyrosm

        kind = name.split(", ")[1]
        __import__(kind)
        start = time.perf_counter()
        made = pyrosm.OSM(str(path)).get_graph("driving+service", graph_type=kind, retain_all=True)
    else:
        import osmnx

        start = time.perf_counter()
        made = osmnx.graph_from_xml(path, retain_all=True)
    took = time.perf_counter() - start
    if hasattr(made, "vcount"):
        return took, made.vcount(), made.ecount()
    return took, made.number_of_nodes(), made.number_of_edges()


def roads_as_xml(source: Path, target: Path) -> None:
    """Write the roads that we read, and their nodes, as XML."""
    import osmium

    from urbangeo.network.osmtags import way_meaning

    tracker = osmium.IdTracker()
    for way in osmium.FileProcessor(str(source), osmium.osm.WAY).with_filter(
        osmium.filter.KeyFilter("highway")
    ):
        if not way_meaning(dict(way.tags), rail=False).dropped:
            tracker.add_way(way.id)
            tracker.add_references(way)
    kinds = osmium.osm.NODE | osmium.osm.WAY
    with (
        osmium.SimpleWriter(str(target), overwrite=True) as out,
        osmium.io.Reader(str(source), kinds) as reader,
    ):
        osmium.apply(reader, tracker.id_filter(), out)


def measure(name: str, path: Path) -> dict[str, float] | str:
    """Run one reader in a process of its own."""
    command = [sys.executable, __file__, "--only", name, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", type=int, default=100_000)
    parser.add_argument("--file", type=Path, help="an .osm.pbf to read instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[], help="readers to leave out")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        seconds, nodes, edges = run(options.only, options.file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_mb = peak / (1e6 if sys.platform == "darwin" else 1e3)
        print(json.dumps({"s": seconds, "nodes": nodes, "edges": edges, "mb": peak_mb}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        source = options.file
        if source is None:
            sys.path.insert(0, str(HERE.parent / "scripts"))
            from make_synthetic_pbf import make

            source = Path(folder) / "synthetic.osm.pbf"
            nodes, ways = make(source, options.ways, 12, 1)
            print(f"synthetic extract: {nodes:,} nodes, {ways:,} ways", flush=True)
        files = {"pbf": source, "osm": Path(folder) / "roads.osm"}
        readers = {name: kind for name, kind in READERS.items() if name not in options.skip}
        if "osm" in readers.values():
            roads_as_xml(source, files["osm"])
        best: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for name, kind in readers.items():
                found = measure(name, files[kind])
                if isinstance(found, str):
                    print(f"{name}: {found}", flush=True)
                elif name not in best or found["s"] < best[name]["s"]:
                    best[name] = found
    print(f"\n{'':18s} {'s':>8s} {'peak MB':>8s} {'nodes':>9s} {'edges':>9s}   x ours")
    worst = 0.0
    for kind in ("pbf", "osm"):
        group = {name: one for name, one in best.items() if READERS[name] == kind}
        ours = next((one["s"] for name, one in group.items() if "urbangeo" in name), None)
        for name, one in group.items():
            ratio = one["s"] / ours if ours else float("nan")
            print(
                f"{name:18s} {one['s']:8.2f} {one['mb']:8.0f} {one['nodes']:9,.0f} "
                f"{one['edges']:9,.0f} {ratio:8.2f}"
            )
        others = [one["s"] for name, one in group.items() if "urbangeo" not in name]
        if ours and others:
            worst = max(worst, ours / min(others))
    return judge([Goal("an OpenStreetMap file to a graph", "x the fastest peer", worst, MOST)])


if __name__ == "__main__":
    raise SystemExit(main())
