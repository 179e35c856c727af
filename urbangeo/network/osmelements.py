"""Nodes and ways of an OpenStreetMap file as arrays: decoded, told what they mean, joined.

Each batch of the file is decoded and filtered by osmium in C++ and written as lines of OPL, and
numpy and pandas read those lines. So no Python object is made for a node, and the file is read
once, in whatever order it is. When all is read, ways are joined with the places of their nodes.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError
from urbangeo.network.osmfile import batches
from urbangeo.network.osmtags import KEYS, WayMeaning
from urbangeo.network.simplify import take_lines

__all__ = ["Drawing", "Elements", "Lines", "Tags", "joined", "read_elements"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Units = NDArray[np.int32]  # 1e-7 degrees
Tags = dict[str, str]

_SLICE = 2**24
_MOST_CACHED = 200_000
_NODE_BYTES, _VERTEX_BYTES, _WAY_BYTES = 40, 150, 600
_WAY_KEYS = (
    "highway",
    "railway",
    "route",
    "ferry",
    "construction:highway",
    "construction:railway",
    "proposed:highway",
    "proposed:railway",
    "planned:highway",
    "planned:railway",
)
_STATION = re.compile(rb"railway=(?:station|halt)\b")
_STATION_LINE = re.compile(rb"n(-?\d+) T(\S*) x(\S+) y(\S+)")
_NAME_KEYS = frozenset({b"name", b"name:zh"})
_MEANING_KEYS = frozenset(key.encode() for key in KEYS) - _NAME_KEYS
_ESCAPE = re.compile(r"%([0-9a-f]+)%")
_COMMA_TO_LINE = bytes.maketrans(b",", b"\n")


# -- decoding ------------------------------------------------------------------------------------


class Elements:
    """What has been read of a file so far; a batch of OPL lines at a time is added.

    Parameters
    ----------
    meaning
        What the tags of a way mean.
    rail
        Whether stations are looked for.

    Attributes
    ----------
    nodes, vertices, ways
        How many nodes were read, and how many ways, of how many vertices, were kept.
    node_ids, node_units
        Numbers and places of the nodes, an array for each batch.
    way_ids, way_codes, way_names, way_sizes, refs
        Numbers of the ways kept, their rows in ``meanings`` and ``names``, how many nodes each
        has, and the numbers of these.
    meanings, counts
        What ways mean, and how many mean that, those that are dropped included.
    names
        Names of ways, as the keys of their numbers.
    stations
        Tags, longitude and latitude by the number of the node.
    station_areas
        Tags and corners of stations that are drawn as ways.
    """

    def __init__(self, meaning: Callable[[Mapping[str, str]], WayMeaning], rail: bool) -> None:
        self.nodes = self.vertices = self.ways = 0
        self.node_ids: list[Ints] = []
        self.node_units: list[Units] = []
        self.way_ids: list[Ints] = []
        self.way_codes: list[Ints] = []
        self.way_names: list[Ints] = []
        self.way_sizes: list[Ints] = []
        self.refs: list[Ints] = []
        self.meanings: list[WayMeaning] = []
        self.counts: Counter[int] = Counter()
        self.names: dict[str, int] = {"": 0}
        self.stations: dict[int, tuple[Tags, float, float]] = {}
        self.station_areas: list[tuple[Tags, Ints]] = []
        self._meaning = meaning
        self._rail = rail
        self._meaning_of_tags: dict[bytes, WayMeaning] = {}
        self._code_of_meaning: dict[WayMeaning, int] = {}
        self._codes_of_tags: dict[bytes, tuple[int, int]] = {}

    @property
    def size(self) -> int:
        """Bytes of memory that building the tables from this will take, roughly."""
        return self.nodes * _NODE_BYTES + self.vertices * _VERTEX_BYTES + self.ways * _WAY_BYTES

    def take(self, text: bytes) -> None:
        """Take a batch of OPL lines."""
        first_way = text.find(b"\nw") + 1
        if text.startswith(b"w"):
            nodes, ways = b"", text
        elif first_way:
            nodes, ways = text[:first_way], text[first_way:]
        else:
            nodes, ways = text, b""
        if b"\nn" in ways:  # nodes after ways: sort the lines of this batch
            lines = ways.splitlines(keepends=True)
            nodes += b"".join(line for line in lines if line.startswith(b"n"))
            ways = b"".join(line for line in lines if line.startswith(b"w"))
        if nodes:
            if self._rail:
                self._take_stations(nodes)
            self._take_nodes(nodes)
        if ways:
            self._take_ways(ways)

    def _take_stations(self, text: bytes) -> None:
        for found in _STATION.finditer(text):
            first = text.rfind(b"\n", 0, found.start()) + 1
            line = _STATION_LINE.match(text, first)
            tags = _tags(line[2]) if line else {}
            if line and tags.get("railway") in {"station", "halt"}:
                self.stations[int(line[1])] = (tags, float(line[3]), float(line[4]))

    def _take_nodes(self, text: bytes) -> None:
        # "n12 Tname=x x107.1 y27.1": the letters go, in the tags too, which are not read here
        frame = pd.read_csv(
            io.BytesIO(text.translate(None, b"nxy")),
            sep=" ",
            header=None,
            names=["id", "tags", "x", "y"],
            usecols=["id", "x", "y"],
            dtype={"id": np.int64, "x": np.float64, "y": np.float64},
            quoting=3,
        )
        xy = np.column_stack([frame["x"].to_numpy(), frame["y"].to_numpy()])
        # A node without a place (deleted) gets one that is out of range.
        units = np.rint(np.nan_to_num(xy, nan=200.0) * 1e7).astype(np.int32)
        self.node_ids.append(frame["id"].to_numpy(dtype=np.int64))
        self.node_units.append(units)
        self.nodes += len(units)

    def _take_ways(self, text: bytes) -> None:
        ids: list[bytes] = []
        codes: list[int] = []
        names: list[int] = []
        texts: list[bytes] = []
        all_codes: list[int] = []
        for line in text.splitlines():
            front, _, refs = line.rpartition(b" N")
            number, _, tags = front.partition(b" T")
            found = self._codes_of_tags.get(tags)
            code, name = self._codes(tags) if found is None else found
            all_codes.append(code)
            dropped = self.meanings[code].dropped
            if not dropped:
                ids.append(number[1:])
                codes.append(code)
                names.append(name)
                texts.append(refs)
            elif dropped == "station_area" and refs and self._rail:
                self.station_areas.append((_tags(tags), _references(refs)))
        self.counts.update(all_codes)
        if not ids:
            return
        sizes = np.array([refs.count(b",") + 1 if refs else 0 for refs in texts], dtype=np.int64)
        all_refs = b",".join([refs for refs in texts if refs])
        vertices = _references(all_refs) if all_refs else np.empty(0, dtype=np.int64)
        self.way_ids.append(np.array(ids).astype(np.int64))
        self.way_codes.append(np.array(codes, dtype=np.int64))
        self.way_names.append(np.array(names, dtype=np.int64))
        self.way_sizes.append(sizes)
        self.refs.append(vertices)
        self.vertices += len(vertices)
        self.ways += len(ids)

    def _codes(self, tags: bytes) -> tuple[int, int]:
        """Number of the meaning of a way's tags, and of its name.

        Most ways differ in tags that do not matter here, or in their name only; what is left of
        them is looked up before it is worked out.
        """
        if len(self._codes_of_tags) > _MOST_CACHED:
            self._codes_of_tags.clear()
        if len(self._meaning_of_tags) > _MOST_CACHED:
            self._meaning_of_tags.clear()
        naming: list[bytes] = []
        telling: list[bytes] = []
        for pair in tags.split(b","):
            key = pair.partition(b"=")[0]
            if key in _MEANING_KEYS or key.endswith(b":conditional"):
                telling.append(pair)
            elif key in _NAME_KEYS:
                naming.append(pair)
        rest = b",".join(telling)
        meaning = self._meaning_of_tags.get(rest)
        if meaning is None:
            meaning = self._meaning_of_tags[rest] = self._meaning(_tags(rest))
        if naming and meaning.mode == "rail":  # its class hangs on its name
            meaning = replace(self._meaning(_tags(tags)), name="")
        code = self._code_of_meaning.setdefault(meaning, len(self.meanings))
        if code == len(self.meanings):
            self.meanings.append(meaning)
        name = 0
        if naming and not meaning.dropped:
            named = _tags(b",".join(naming))
            text = named.get("name:zh") or named.get("name") or ""
            name = self.names.setdefault(text, len(self.names))
        self._codes_of_tags[tags] = code, name
        return code, name


def _references(text: bytes) -> Ints:
    """Numbers of ``n1,n2,n3``."""
    column = text.translate(_COMMA_TO_LINE, b"n")
    frame = pd.read_csv(io.BytesIO(column), header=None, names=["n"], dtype=np.int64)
    return frame["n"].to_numpy(dtype=np.int64)


def _tags(text: bytes) -> Tags:
    """Tags of an OPL line."""
    pairs = [pair.partition("=") for pair in text.decode("utf-8", "replace").split(",") if pair]
    return {_plain(key): _plain(value) for key, _, value in pairs}


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda code: chr(int(code[1], 16)), text) if "%" in text else text


def read_elements(
    where: Path,
    meaning: Callable[[Mapping[str, str]], WayMeaning],
    *,
    rail: bool,
    memory_gb: float,
    progress: bool,
) -> Elements:
    """Decode a file batch by batch.

    Parameters
    ----------
    where
        The file.
    meaning
        What the tags of a way mean.
    rail
        Whether stations are looked for.
    memory_gb
        Stop where more would be needed than this.
    progress
        Whether to show a bar on the terminal.

    Raises
    ------
    InputError
        If osmium is missing, or the file cannot be read, is unsafe to read or too large.
    """
    try:
        import osmium
    except ImportError as error:
        raise InputError(
            "Reading OpenStreetMap files needs osmium: pip install 'urbangeo[osm]'."
        ) from error
    elements = Elements(meaning, rail)
    kinds = osmium.osm.NODE | osmium.osm.WAY
    wanted = osmium.filter.KeyFilter(*_WAY_KEYS)
    wanted.enable_for(osmium.osm.WAY)
    try:
        with (
            where.open("rb") as stream,
            tempfile.TemporaryDirectory(prefix="urbangeo-") as folder,
            _bar(where, progress) as advance,
        ):
            form, files = batches(stream, where)
            lines = Path(folder) / "batch.opl"
            target = osmium.io.File(str(lines), "opl,add_metadata=none")
            for batch in files:
                source = osmium.io.FileBuffer(batch, form)
                with (
                    osmium.io.Reader(source, kinds) as reader,
                    osmium.SimpleWriter(target, overwrite=True) as writer,
                ):
                    osmium.apply(reader, wanted, writer)
                for text in _slices(lines):
                    elements.take(text)
                advance(stream.tell())
                if elements.size > memory_gb * 1e9:
                    raise _too_large(where, elements, memory_gb)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror or error}.") from error
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise InputError(
            f"{where} is damaged or not an OpenStreetMap file: {error}. Fetch it again."
        ) from error
    return elements


def _too_large(where: Path, elements: Elements, memory_gb: float) -> InputError:
    return InputError(
        f"{where} needs more than {memory_gb:g} GB of memory after {elements.nodes:,} nodes and "
        f"{elements.ways:,} ways. Cut it with `osmium extract` or `osmium tags-filter`, or raise "
        "memory_gb."
    )


def _slices(path: Path) -> Iterator[bytes]:
    """Give the lines of a text some at a time."""
    rest = b""
    with path.open("rb") as stream:
        while piece := stream.read(_SLICE):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
    if rest:
        yield rest


@contextmanager
def _bar(where: Path, progress: bool) -> Iterator[Callable[[int], None]]:
    """Show how far the file has been read, if asked to."""
    if not progress:
        yield lambda place: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("[progress.description]{task.description}", BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task(f"读入 {escape(where.name)}", total=where.stat().st_size)
        yield lambda place: bar.update(task, completed=place)


# -- joining -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Lines:
    """Runs of nodes, with the way that each is of: ``vertex[offsets[i]:offsets[i + 1]]``."""

    vertex: Ints
    offsets: Ints
    way: Ints

    def take(self, rows: Ints, backwards: Bools | None = None) -> Lines:
        """Take lines by row, some of them turned round."""
        turned = np.zeros(len(rows), dtype=bool) if backwards is None else backwards
        vertex, offsets = take_lines(self.vertex, self.offsets, rows, turned)
        return Lines(vertex, offsets, self.way[rows])


@dataclass(frozen=True, eq=False)
class Drawing:
    """Ways as lines over nodes that are in the file.

    Attributes
    ----------
    ids, xy
        Number, longitude and latitude of each node of a line.
    lines
        Their vertices are rows of ``ids``, their ways rows of the following.
    way_id, way_code, way_name
        Number of each way, and its rows in ``meanings`` and ``names`` of the elements.
    areas
        Tags and corners, longitude and latitude, of stations that are drawn as areas.
    dropped, repaired
        What was left out and put right, counted by reason.
    """

    ids: Ints
    xy: Floats
    lines: Lines
    way_id: Ints
    way_code: Ints
    way_name: Ints
    areas: list[tuple[Tags, Floats]]
    dropped: Mapping[str, int]
    repaired: Mapping[str, int]


def joined(elements: Elements) -> Drawing:
    """Join ways with the places of their nodes; of equal numbers the last holds.

    The elements are emptied of nodes and ways on the way, to save memory. There must be a way.
    """
    way_id, way_code, way_name, sizes, refs = (
        _concatenated(parts)
        for parts in (
            elements.way_ids,
            elements.way_codes,
            elements.way_names,
            elements.way_sizes,
            elements.refs,
        )
    )
    drawn = Lines(refs, np.concatenate([[0], np.cumsum(sizes)]), np.arange(len(way_id)))
    _, last = np.unique(way_id[::-1], return_index=True)
    if len(last) < len(way_id):
        drawn = drawn.take(np.sort(len(way_id) - 1 - last))
    ids, units, repaired = _sorted_nodes(elements)
    place, found = _find(ids, units, drawn.vertex)
    areas = [
        (tags, units[row[there]] / 1e7)
        for tags, corners in elements.station_areas
        for row, there in [_find(ids, units, corners)]
        if there.any()
    ]
    used = np.zeros(len(ids), dtype=bool)
    used[place[found]] = True
    place[found] = (np.cumsum(used) - 1)[place[found]]
    lines, dropped, cut = _present(replace(drawn, vertex=place), found)
    repaired |= cut | {"duplicate_ways": len(way_id) - len(last)}
    return Drawing(
        ids[used],
        units[used] / 1e7,
        lines,
        way_id,
        way_code,
        way_name,
        areas,
        dropped,
        repaired,
    )


def _concatenated(parts: list[Ints]) -> Ints:
    """Put arrays together and let them go."""
    whole = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    parts.clear()
    return whole


def _sorted_nodes(elements: Elements) -> tuple[Ints, Units, dict[str, int]]:
    """Numbers and places of all nodes, ordered by number, the last of equal ones last."""
    parts = elements.node_units
    units = np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.int32)
    parts.clear()
    ids = _concatenated(elements.node_ids)
    step = np.diff(ids)
    if (step < 0).any():
        order = np.argsort(ids, kind="stable")
        ids, units = ids[order], units[order]
        step = np.diff(ids)
    repaired = {
        "duplicate_nodes": int((step == 0).sum()),
        "node_out_of_range": int((~_on_earth(units)).sum()),
    }
    return ids, units, repaired


def _on_earth(units: Units) -> Bools:
    good: Bools = (np.abs(units[:, 0]) <= 1_800_000_000) & (np.abs(units[:, 1]) <= 900_000_000)
    return good


def _find(ids: Ints, units: Units, refs: Ints) -> tuple[Ints, Bools]:
    """Rows of nodes by number, and whether each is in the file and has a place on the Earth."""
    if not len(ids):
        return np.zeros(len(refs), dtype=np.int64), np.zeros(len(refs), dtype=bool)
    place = np.maximum(np.searchsorted(ids, refs, side="right") - 1, 0)
    return place, (ids[place] == refs) & _on_earth(units)[place]


def _present(lines: Lines, found: Bools) -> tuple[Lines, dict[str, int], dict[str, int]]:
    """Cut ways at nodes that are not in the file; keep the runs of two and more nodes."""
    size = np.diff(lines.offsets)
    if found.all() and (size > 0).all():
        return lines, {}, {}
    row = np.repeat(np.arange(len(size)), size)
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (row[1:] != row[:-1]) | ~found[:-1]
    run = (np.cumsum(fresh) - 1)[found]
    length = np.bincount(run, minlength=int(fresh.sum()))
    good = length >= 2
    kept = good[run]
    owner = row[np.flatnonzero(fresh)]
    missing = np.bincount(row[~found], minlength=len(size))
    there = np.zeros(len(size), dtype=bool)
    there[owner[good]] = True
    dropped = {
        "no_nodes": int((~there & (missing == size)).sum()),
        "one_node": int((~there & (missing < size)).sum()),
    }
    repaired = {
        "missing_refs": int(missing.sum()),
        "clipped": int((there & (missing > 0)).sum()),
    }
    offsets = np.concatenate([[0], np.cumsum(length[good])]).astype(np.int64)
    return Lines(lines.vertex[found][kept], offsets, lines.way[owner[good]]), dropped, repaired
