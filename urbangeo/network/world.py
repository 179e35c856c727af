"""A coarse road and rail graph of anywhere on Earth, from the package ``scgraph_data``.

The package holds a simplification of OpenStreetMap's main roads and railways as Python source.
Compiling the roads takes a minute and 4.7 GB, and importing them needs a release of scgraph that
still has ``scgraph.core``. So its files are read as text, once, in two seconds and 0.4 GB, and what
they say is kept in the cache folder.

The graph has no class, name, number or direction. Nodes are rounded to a thousandth of a degree.
Lengths are the package's own and stay as they are; they run 6 to 11 % short where towns are far
apart, because there many edges are straight chords of 20 to 100 km that have lost their junctions.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError, NetworkError, OutputError, UnknownNameError
from urbangeo.files import writing
from urbangeo.network.ingest import IngestReport, strong_components

__all__ = ["ATTRIBUTION", "WorldTables", "cache_folder", "read_world"]

ATTRIBUTION = ("© OpenStreetMap contributors (ODbL)，经 scgraph_data，示意",)
"""What must be shown with a network made of this."""

# The class stands for the usual main road: what the package holds ranges from expressways to
# provincial roads, and most of its kilometres are trunk roads. Of railways it holds them all.
_MODES = {"road": ("world_highways", "national"), "rail": ("world_railways", "conventional")}
_NODE_PRECISION_M = 100.0  # half a thousandth of a degree both ways is 79 m at most


@dataclass(frozen=True, eq=False)
class WorldTables:
    """A part of the graph as plain tables.

    Attributes
    ----------
    nodes
        ``id`` (``road-`` or ``rail-`` and the package's number), ``kind`` (always junction),
        ``name``, ``adcode``, ``source``, ``precision_m``, ``lon``, ``lat`` and ``component``: the
        connected component, 0 the largest; of railways only if no roads were asked for, else -1.
    links
        The columns of a network's links without ``from`` and ``to``, then ``component``. Roads
        are of class ``national`` and railways ``conventional``: the package knows no classes.
    tail, head
        Row in ``nodes`` of each link's ends.
    xy, offsets
        Vertices of all lines, degrees, WGS 84: line i is ``xy[offsets[i]:offsets[i + 1]]``. All
        are straight.
    report
        What was read, kept and left out.
    attribution
        Lines that a figure drawn from it must carry.
    schematic
        Always True: it must be called so wherever it is shown.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    report: IngestReport
    attribution: tuple[str, ...] = ATTRIBUTION
    schematic: bool = True


@dataclass(frozen=True, eq=False)
class _Graph:
    """One of the package's graphs: thousandths of degrees, node numbers, metres."""

    lon: NDArray[np.int32]
    lat: NDArray[np.int32]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.int32]
    loops: int


def cache_folder() -> Path:
    """Folder for what can be made again: ``$URBANGEO_CACHE``, or the user's cache folder.

    That is ``$XDG_CACHE_HOME/urbangeo``, on Windows below ``%LOCALAPPDATA%``, on macOS below
    ``~/Library/Caches``, and otherwise ``~/.cache/urbangeo``.
    """
    own = os.environ.get("URBANGEO_CACHE")
    if own:
        return Path(own).expanduser()
    stated = os.environ.get("XDG_CACHE_HOME")
    if stated and Path(stated).is_absolute():
        return Path(stated) / "urbangeo"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / "urbangeo"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "urbangeo" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "urbangeo"
    return home / ".cache" / "urbangeo"


def read_world(bounds: Sequence[float], *, modes: Iterable[str] = ("road", "rail")) -> WorldTables:
    """Read the roads and railways within bounds.

    Parameters
    ----------
    bounds
        ``(west, south, east, north)`` in degrees. An edge is taken if one of its ends lies within,
        so that what leads out of the region is there too.
    modes
        ``"road"``, ``"rail"`` or both.

    Raises
    ------
    InputError
        If the bounds are not such numbers.
    UnknownNameError
        If a mode is not known.
    NetworkError
        If the package is not installed, is laid out otherwise, or has nothing there.
    """
    west, south, east, north = _checked(bounds)
    wanted = [modes] if isinstance(modes, str) else list(modes)
    for mode in wanted:
        if mode not in _MODES:
            raise UnknownNameError("mode", mode, _MODES)
    if not wanted:
        raise InputError(f"No mode given; choose from {', '.join(_MODES)}.")
    nodes, links, ends, xy = [], [], [], []
    read: dict[str, float] = {}
    kept: dict[str, float] = {}
    dropped: dict[str, float] = {}
    noted: dict[str, float] = {}
    sizes: tuple[int, ...] | None = None
    first = 0
    for mode in [one for one in _MODES if one in wanted]:
        graph, uncached = _graph(_MODES[mode][0])
        lon, lat = graph.lon / 1000, graph.lat / 1000
        within = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
        both = within[graph.tail] & within[graph.head]
        edges = np.flatnonzero(within[graph.tail] | within[graph.head])
        used, place = np.unique(
            np.concatenate([graph.tail[edges], graph.head[edges]]), return_inverse=True
        )
        tail, head = place[: len(edges)], place[len(edges) :]
        component = np.full(len(used), -1, dtype=np.int32)
        if sizes is None:
            two_way = np.zeros(len(edges), dtype=bool)
            component, sizes = strong_components(len(used), tail, head, two_way)
        source = f"scgraph_data {_version()} (OpenStreetMap)"
        nodes.append(_nodes(mode, used, lon[used], lat[used], source, component))
        length = graph.length_m[edges].astype(float)
        links.append(
            _links(mode, graph.tail[edges], graph.head[edges], length, source, component[tail])
        )
        ends.append(np.stack([tail, head]) + first)
        xy.append(np.column_stack([lon, lat])[np.stack([used[tail], used[head]], axis=1)])
        first += len(used)
        for counts, what, number in (
            (read, f"{mode}_edges", len(graph.tail)),
            (kept, f"{mode}_links", len(edges)),
            (dropped, "outside_bounds", len(graph.tail) - len(edges)),
            (dropped, "self_loops", graph.loops),
            (noted, "across_bounds", len(edges) - int(both.sum())),
            (noted, "cache_not_written", int(uncached)),
        ):
            counts[what] = counts.get(what, 0) + number
    if not any(map(len, links)):
        raise NetworkError(
            f"scgraph_data has no {' or '.join(wanted)} within west {west:g}, south {south:g}, "
            f"east {east:g}, north {north:g}. Check that longitude comes first, or take in more."
        )
    kept["nodes"] = first
    tail, head = np.concatenate(ends, axis=1).astype(np.int64)
    return WorldTables(
        nodes=pd.concat(nodes, ignore_index=True),
        links=pd.concat(links, ignore_index=True),
        tail=tail,
        head=head,
        xy=np.concatenate(xy).reshape(-1, 2),
        offsets=2 * np.arange(len(tail) + 1, dtype=np.int64),
        report=IngestReport(
            f"scgraph_data {_version()}，{west:g}–{east:g}°，{south:g}–{north:g}°",
            read,
            kept,
            dropped,
            noted=noted,
            components=sizes or (),
        ),
    )


def _checked(bounds: Sequence[float]) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(one) for one in bounds)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"bounds are {bounds!r}; (west, south, east, north) in degrees is expected."
        ) from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            f"bounds are west {west:g}, south {south:g}, east {east:g}, north {north:g}; degrees "
            "are expected, west less than east and south less than north. A region across 180° "
            "has to be read in two parts."
        )
    return west, south, east, north


def _nodes(
    mode: str,
    numbers: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    source: str,
    component: NDArray[np.int32],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"{mode}-{number}" for number in numbers.tolist()],
            "kind": "junction",
            "name": "",
            "adcode": "",
            "source": source,
            "precision_m": _NODE_PRECISION_M,
            "lon": lon,
            "lat": lat,
            "component": component,
        }
    )


def _links(
    mode: str,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    length_m: NDArray[np.float64],
    source: str,
    component: NDArray[np.int32],
) -> pd.DataFrame:
    ends = zip(tail.tolist(), head.tolist(), strict=True)
    return pd.DataFrame(
        {
            "id": [f"{mode}-{one}-{other}" for one, other in ends],
            "mode": mode,
            "class": _MODES[mode][1],
            "ref": "",
            "name": "",
            "length_m": length_m,
            "speed_kmh": np.nan,
            "oneway": False,
            "status": "已建成",
            "open_year": np.nan,
            "planned_year": np.nan,
            "cite": "",
            "source": source,
            "precision_m": np.nan,  # how far the road strays from a chord is not known
            "component": component,
        }
    )


def _version() -> str:
    from importlib.metadata import version

    return version("scgraph_data")


def _graph(module: str) -> tuple[_Graph, bool]:
    """Give a graph from the cache, or parse it and fill the cache; and whether that failed."""
    path = _module_file(module)
    cached = cache_folder() / f"scgraph_data-{_version()}" / f"{module}.npz"
    try:
        with cached.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return _Graph(**{name: held[name] for name in _ARRAYS}, loops=int(held["loops"])), False
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        pass  # damaged: it is made again
    graph = _parsed(path.read_bytes(), path)
    try:
        with writing(cached) as draft:
            np.savez(draft, **{name: getattr(graph, name) for name in _ARRAYS}, loops=graph.loops)
    except OutputError:
        return graph, True
    return graph, False


_ARRAYS = ("lon", "lat", "tail", "head", "length_m")


def _module_file(module: str) -> Path:
    """Find a file of the package without running it."""
    from importlib.util import find_spec

    try:
        spec = find_spec(f"scgraph_data.{module}")
    except ModuleNotFoundError as error:
        raise NetworkError(
            "The graph of the world is in the package scgraph_data, which is not installed. "
            "Run: pip install 'urbangeo[world]'"
        ) from error
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        raise NetworkError(
            f"scgraph_data {_version()} has no {module}; release 2.0.0 has it. "
            "Run: pip install scgraph_data==2.0.0"
        )
    return Path(spec.origin)


def _parsed(text: bytes, path: Path) -> _Graph:
    """Read the literals ``graph=[{neighbour: km}, …]`` and ``nodes=[[lat, lon], …]`` of a file.

    Each edge stands at both its ends.
    """
    try:
        graph, nodes = (_literal(text, name) for name in (b"graph=", b"nodes="))
        neighbours = np.array([row.count(b":") for row in graph.split(b"}")[:-1]], dtype=np.int64)
        pairs = _numbers(graph.translate(bytes.maketrans(b":", b","), b"{} []"))
        lat, lon = np.rint(_numbers(nodes.translate(None, b"[] ")) * 1000).T
    except ValueError as error:
        raise _laid_out(path, str(error)) from error
    number = len(lat)
    owner = np.repeat(np.arange(len(neighbours)), neighbours)
    if len(neighbours) != number or len(owner) != len(pairs):
        raise _laid_out(path, f"{len(neighbours)} rows for {number} nodes")
    if not (np.abs(lat) <= 90_000).all() or not (np.abs(lon) <= 180_000).all():
        raise _laid_out(path, "a node is not on the Earth")
    other, metres = pairs[:, 0].astype(np.int64), np.rint(pairs[:, 1] * 1000)
    if len(other) and not (other.min() >= 0 and other.max() < number and (metres >= 0).all()):
        raise _laid_out(path, "an edge leads nowhere, or has a negative length")
    apart = owner != other
    low, high = np.minimum(owner, other)[apart], np.maximum(owner, other)[apart]
    # an edge that stands at one end only, or with two lengths, would lose something here
    edges, row, times = np.unique(low * number + high, return_index=True, return_counts=True)
    back = np.lexsort((metres[apart], high, low))
    if (times != 2).any() or (metres[apart][back][::2] != metres[apart][back][1::2]).any():
        raise _laid_out(path, "an edge is not the same from both its ends")
    # a link has a length: a metre, should one be rounded to nothing
    return _Graph(
        lon=lon.astype(np.int32),
        lat=lat.astype(np.int32),
        tail=(edges // max(number, 1)).astype(np.int32),
        head=(edges % max(number, 1)).astype(np.int32),
        length_m=np.maximum(1, metres[apart][row]).astype(np.int32),
        loops=int((~apart).sum()),
    )


def _literal(text: bytes, name: bytes) -> bytes:
    """Cut out what stands after ``name`` on a line of its own."""
    begin = text.index(b"\n" + name + b"[") + 1 + len(name)
    return text[begin : text.index(b"]\n", begin) + 1]


def _numbers(text: bytes) -> NDArray[np.float64]:
    """Read pairs of numbers with commas between all; a row without edges leaves an empty part."""
    found = np.array([part for part in text.split(b",") if part], dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(found).all():
        raise ValueError("a number is not finite")
    return found


def _laid_out(path: Path, what: str) -> NetworkError:
    return NetworkError(
        f"{path.name} of scgraph_data {_version()} is laid out otherwise than expected: {what}. "
        "Release 2.0.0 can be read; run: pip install scgraph_data==2.0.0"
    )
