"""OpenStreetMap files into tables: ``.osm``, ``.osm.gz``, ``.osm.bz2`` and ``.osm.pbf``.

The file is cut into batches here (blobs of a PBF, elements of an XML), each batch is decoded and
filtered by osmium in C++ and written as lines of OPL, and numpy and pandas read those lines. So
no Python object is made for a node, and the file is read once, in whatever order it is.

osmium 4.3 was chosen over pyrosm 0.25 after measuring both (``benchmarks/ingest.py``; each column
is one run on two busy cores), from the file to a graph of roads:

=====================  ==================  ===================
                       99 thousand ways    989 thousand ways
=====================  ==================  ===================
this module, PBF       3.4 s, 0.31 GB      29 s, 0.97 GB
pyrosm to igraph       18 s, 0.60 GB       174 s, 2.74 GB
pyrosm to networkx     12 s, 0.77 GB       138 s, 3.71 GB
this module, XML       4.1 s, 0.34 GB
OSMnx, XML             210 s, 2.52 GB
=====================  ==================  ===================

osmium reads all formats, pyrosm only PBF. An object of osmium for each way and node, in a loop,
takes some five times as long as its lines of text.

Memory: some 40 bytes for each node of the file, 150 for each vertex of a way that is kept and 600
for each such way, which ``memory_gb`` bounds; beside it a batch adds 0.3 GB, and at most 2.7 GB
where a hostile file packs the largest blobs that the format allows. On disk there is one batch of
text at a time: 50 MB, and at most 0.5 GB.

What is refused: a file that ends too early, inflates more than 250-fold, holds a blob of more than
32 MB, declares a document type or entities, is not UTF-8, is an address and not a file.
"""

from __future__ import annotations

import bz2
import io
import os
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError
from urbangeo.network.ingest import IngestReport, strong_components
from urbangeo.network.osmtags import DRIVABLE, KEYS, WayMeaning, way_meaning
from urbangeo.network.simplify import Chains, chains, line_lengths_m, take_lines

__all__ = ["OsmTables", "read_osm"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_BLOB = 32 * 2**20  # by the format's definition
_MOST_BLOB_HEADER = 64 * 2**10
_BATCH = 8 * 2**20  # bytes of a batch once inflated
_CHUNK = 2**22
_SLICE = 2**24
_MOST_ELEMENT = 64 * 2**20  # the longest way has 2000 nodes, some 60 kB
_MOST_RATIO, _RATIO_FROM = 250, 64 * 2**20  # real extracts inflate 10- to 30-fold
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
_NAMES = frozenset({b"name", b"name:zh"})
_READ = frozenset(key.encode() for key in KEYS) - _NAMES
_ESCAPE = re.compile(r"%([0-9a-f]+)%")
_STATION_REACH_M = 1000.0
_SHORTEST_M = 0.01  # the step of OpenStreetMap's coordinates
_URBAN_STATIONS = frozenset({"subway", "light_rail", "monorail", "tram"})
_URBAN_CLASSES = frozenset({"metro", "suburban"})
_EARTH_M = 6371008.8


@dataclass(frozen=True, eq=False)
class OsmTables:
    """A network as plain tables.

    Attributes
    ----------
    nodes
        ``id`` (``n`` or, on a railway, ``r`` and OpenStreetMap's number), ``kind``, ``name``,
        ``adcode``, ``source``, ``precision_m``, ``lon``, ``lat`` and ``component``: the strongly
        connected component of open roads, 0 the largest, -1 where no open road leads.
    links
        The columns of a network's links without ``from`` and ``to``, then ``osm_highway`` (the
        value of ``highway``, ``railway`` or ``"ferry"``), ``osm_way`` (number of its first way)
        and ``component`` (-1 between two components).
    tail, head
        Row in ``nodes`` of each link's ends.
    xy, offsets
        Vertices of all lines, degrees, WGS 84: line i is ``xy[offsets[i]:offsets[i + 1]]``.
    report
        What was read, kept, dropped, repaired and assumed.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    tail: Ints
    head: Ints
    xy: Floats
    offsets: Ints
    report: IngestReport


def read_osm(
    path: str | os.PathLike[str],
    *,
    rail: bool = True,
    planned: bool = False,
    ferries: bool = False,
    classes: Collection[str] | None = None,
    speeds: Mapping[str, float] | None = None,
    progress: bool | None = None,
    memory_gb: float = 4.0,
) -> OsmTables:
    """Read the roads and railways of an OpenStreetMap file.

    Parameters
    ----------
    path
        ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf``, told by its content.
    rail
        Whether to read railways and stations.
    planned
        Whether to read what is under construction (在建) or proposed (前期); it is counted as
        dropped otherwise.
    ferries
        Whether to read ferries that carry cars.
    classes
        Values of ``highway`` to read; every road for cars if not given. ``"track"`` may be named.
    speeds
        Speeds by ``highway`` or ``railway`` value, km/h, where none is posted, such as
        :data:`urbangeo.network.osmtags.CHINA_KMH`. Otherwise ``speed_kmh`` is NaN there and the
        profile's speed of the class holds.
    progress
        Whether to show a bar on the terminal.
    memory_gb
        Refuse a file that would need more than this.

    Raises
    ------
    InputError
        If the file cannot be read, is unsafe to read, is too large, or holds no road or railway.
    """
    where = _checked_path(path)
    _check_speeds(speeds)
    if classes is not None:
        known = DRIVABLE | {"track"}
        unknown = sorted(set(classes) - known)
        if unknown:
            raise InputError(
                f"classes names {', '.join(unknown)}; values of highway for cars are expected: "
                f"{', '.join(sorted(known))}."
            )
    held = _Held(
        lambda tags: way_meaning(
            tags, rail=rail, planned=planned, ferries=ferries, classes=classes, speeds=speeds
        ),
        rail,
    )
    _read(where, held, memory_gb, bool(progress))
    return _Build(where, held).tables()


def _check_speeds(speeds: Mapping[str, float] | None) -> None:
    for key, value in (speeds or {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1000:
            raise InputError(
                f"speeds[{key!r}] is {value!r}; a speed in km/h above 0 is expected for each value "
                "of highway or railway."
            )


def _checked_path(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if "://" in text or text.startswith("/vsi"):
        raise InputError(
            f"{text} is an address, not a file: nothing is downloaded unasked. "
            "Fetch the extract first and give its path."
        )
    where = Path(text)
    if not where.is_file():
        what = "a folder" if where.is_dir() else "no such file"
        raise InputError(
            f"{text}: {what}. Give the path of an .osm, .osm.gz, .osm.bz2 or .osm.pbf."
        )
    return where


# -- cutting a file into batches ---------------------------------------------------------------


def _batches(stream: BinaryIO, where: Path) -> tuple[str, Iterator[bytes]]:
    """Tell the format of a file by its first bytes, and give its batches."""
    start = stream.read(16)
    stream.seek(0)
    if start[4:6] == b"\n\x09" and start[6:15] == b"OSMHeader":
        return "pbf", _pbf_batches(stream, where)
    if start.startswith(b"\x1f\x8b"):
        return "osm", _xml_batches(_inflated(stream, where, "gzip"), where)
    if start.startswith(b"BZh"):
        return "osm", _xml_batches(_inflated(stream, where, "bzip2"), where)
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")):
        raise InputError(f"{where} is not UTF-8 (UTF-16, it seems). Save it as UTF-8.")
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return "osm", _xml_batches(iter(lambda: stream.read(_CHUNK), b""), where)
    found = f"it begins with {start[:8]!r}" if start else "it is empty"
    raise InputError(
        f"{where} is no OpenStreetMap file in PBF or XML: {found}. Other formats can be converted "
        "with `osmium cat IN -o OUT.osm.pbf`."
    )


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("a number without an end")


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Fields of a protobuf message: number, value or length, and the bytes where there are any."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        value, content = 0, b""
        if kind == 0:
            value, place = _varint(data, place)
        elif kind == 2:
            value, place = _varint(data, place)
            if place + value > len(data):
                raise ValueError("a field longer than its message")
            content = data[place : place + value] if value < _MOST_BLOB_HEADER else b""
            place += value
        else:
            raise ValueError(f"a field of kind {kind}")
        yield key >> 3, value, content


def _pbf_batches(stream: BinaryIO, where: Path) -> Iterator[bytes]:
    """Whole PBF files of a few blobs each, with the header in front of each."""
    header = b""
    batch: list[bytes] = []
    inflated = 0
    while start := stream.read(4):
        size = int.from_bytes(start, "big")
        if size > _MOST_BLOB_HEADER:
            raise InputError(
                f"{where} is damaged: a blob's header of {size:,} bytes in its middle."
            )
        head = stream.read(size)
        try:
            fields = {number: (value, content) for number, value, content in _fields(head)}
            kind, length = fields[1][1], fields[3][0]
        except (KeyError, ValueError) as error:
            raise InputError(f"{where} is damaged or ends too early: {error}.") from error
        if length > _MOST_BLOB:
            raise InputError(
                f"{where} holds a blob of {length:,} bytes; the format allows {_MOST_BLOB:,}."
            )
        data = stream.read(length)
        if len(data) < length:
            raise InputError(
                f"{where} ends too early: a blob of {length:,} bytes has {len(data):,}. "
                "Fetch the file again."
            )
        try:
            large = max(
                (value for number, value, _ in _fields(data) if number in {1, 2}), default=0
            )
        except ValueError as error:
            raise InputError(f"{where} is damaged: {error}.") from error
        if large > _MOST_BLOB:
            raise InputError(
                f"{where} holds a blob that inflates to {large:,} bytes; "
                f"the format allows {_MOST_BLOB:,}."
            )
        if kind == b"OSMHeader":
            if header:
                raise InputError(
                    f"{where} is several files in one. Merge them with `osmium merge` first."
                )
            header = start + head + data
            continue
        batch += [start, head, data]
        inflated += max(large, length)
        if inflated >= _BATCH:
            yield b"".join([header, *batch])
            batch, inflated = [], 0
    if batch:
        yield b"".join([header, *batch])


def _inflated(stream: BinaryIO, where: Path, kind: str) -> Iterator[bytes]:
    """Inflate a file piece by piece; refuse one that swells or ends too early."""

    def make() -> Any:
        return zlib.decompressobj(wbits=31) if kind == "gzip" else bz2.BZ2Decompressor()

    engine = make()
    taken = given = 0
    data = b""
    fresh = True
    while True:
        if not data:
            data = stream.read(2**18)
            taken += len(data)
            if not data:
                break
        try:
            piece = engine.decompress(data, _CHUNK)
            while True:
                fresh = False
                given += len(piece)
                if given > max(_RATIO_FROM, _MOST_RATIO * taken):
                    raise InputError(
                        f"{where} swells from {taken:,} bytes to more than {given:,}: no real "
                        f"extract does. Refused as a {kind} bomb."
                    )
                if piece:
                    yield piece
                if engine.eof:
                    break
                if kind == "gzip":
                    if not engine.unconsumed_tail:
                        break
                    piece = engine.decompress(engine.unconsumed_tail, _CHUNK)
                else:
                    if engine.needs_input:
                        break
                    piece = engine.decompress(b"", _CHUNK)
        except (zlib.error, OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{where} is damaged ({kind}: {error}). Fetch it again.") from error
        data = b""
        if engine.eof:
            data, engine, fresh = engine.unused_data, make(), True
            # Some tools pad the end with zeros.
            data = data.lstrip(b"\x00")
    if not fresh:
        raise InputError(f"{where} ends too early: its {kind} stream is cut. Fetch it again.")


_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']+)""")
_ROOT = re.compile(rb"<([A-Za-z][\w:]*)[^>]*>")


def _xml_batches(pieces: Iterator[bytes], where: Path) -> Iterator[bytes]:
    """Whole XML files of some elements each, without comments, declarations or a document type."""
    rest = b""
    begun = False
    ended = False
    for piece in pieces:
        rest = _declarations_checked(rest + piece, where)
        if not begun:
            body = _after_root(rest, where)
            if body is None:
                if len(rest) > _CHUNK:
                    raise InputError(f"{where} has no <osm> element at its start.")
                continue
            begun, rest = True, body
        end = rest.find(b"</osm>")
        if end >= 0:
            ended = True
            if rest[end + 6 :].strip():
                raise InputError(f"{where} goes on after its end (</osm>): several files in one.")
            rest = rest[: end + 6]
        cut = max(rest.rfind(b"<node"), rest.rfind(b"<way"), rest.rfind(b"<relation"))
        if cut > 0 and len(rest) >= _BATCH:
            yield b'<osm version="0.6">' + rest[:cut] + b"</osm>"
            rest = rest[cut:]
        elif len(rest) > _MOST_ELEMENT:
            raise InputError(f"{where} holds an element of more than {_MOST_ELEMENT:,} bytes.")
    if not begun:
        raise InputError(f"{where} has no <osm> element at its start.")
    if not ended:
        raise InputError(f"{where} ends too early: </osm> is missing. Fetch the file again.")
    yield b'<osm version="0.6">' + rest


def _declarations_checked(text: bytes, where: Path) -> bytes:
    if b"<!" not in text:
        return text
    text = _COMMENT.sub(b"", text)
    place = text.find(b"<!")
    here = text[place : place + 9] if place >= 0 else b""
    # A comment, or the start of what may be one, that ends in a later piece
    if not here or here.startswith(b"<!--") or b"<!--".startswith(here):
        return text
    raise InputError(
        f"{where} declares a document type, an entity or raw text "
        f"({here.decode(errors='replace')}…). OpenStreetMap files have none; it is refused "
        "because such XML can read other files."
    )


def _after_root(text: bytes, where: Path) -> bytes | None:
    """Give what follows the root's start tag, or None if that is not complete yet."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    encoding = _ENCODING.match(text.lstrip())
    if encoding and encoding[1].upper() not in {b"UTF-8", b"UTF8", b"US-ASCII", b"ASCII"}:
        raise InputError(
            f"{where} is in {encoding[1].decode(errors='replace')}; UTF-8 is expected. Convert it."
        )
    root = _ROOT.search(text)
    if root is None:
        return None
    if root[1] != b"osm":
        raise InputError(
            f"{where} is <{root[1].decode()}>, not <osm>: an extract is expected, no change file, "
            "GPX or anything else."
        )
    return b"</osm>" if root[0].endswith(b"/>") else text[root.end() :]


# -- decoding batches ----------------------------------------------------------------------------


@dataclass(eq=False)
class _Held:
    """What has been read so far."""

    meaning: Callable[[Mapping[str, str]], WayMeaning]
    rail: bool
    node_ids: list[Ints] = field(default_factory=list)
    node_xy: list[NDArray[np.int32]] = field(default_factory=list)
    way_ids: list[Ints] = field(default_factory=list)
    way_codes: list[Ints] = field(default_factory=list)
    way_names: list[Ints] = field(default_factory=list)
    way_sizes: list[Ints] = field(default_factory=list)
    refs: list[Ints] = field(default_factory=list)
    stations: dict[int, tuple[dict[str, str], float, float]] = field(default_factory=dict)
    station_areas: list[tuple[dict[str, str], Ints]] = field(default_factory=list)
    meanings: list[WayMeaning] = field(default_factory=list)
    code_of_meaning: dict[WayMeaning, int] = field(default_factory=dict)
    code_of_tags: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    number_of_name: dict[str, int] = field(default_factory=lambda: {"": 0})
    meaning_of: dict[bytes, WayMeaning] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    nodes: int = 0
    vertices: int = 0
    ways: int = 0

    @property
    def size(self) -> int:
        """Memory that building the tables from this will take, roughly."""
        return self.nodes * _NODE_BYTES + self.vertices * _VERTEX_BYTES + self.ways * _WAY_BYTES

    def take(self, text: bytes) -> None:
        """Take a batch of OPL lines."""
        first_way = text.find(b"\nw") + 1 if not text.startswith(b"w") else 0
        if first_way == 0 and not text.startswith(b"w"):
            nodes, ways = text, b""
        else:
            nodes, ways = text[:first_way], text[first_way:]
        if b"\nn" in ways:  # nodes after ways: sort the lines of this batch
            lines = ways.splitlines(keepends=True)
            nodes += b"".join(line for line in lines if line.startswith(b"n"))
            ways = b"".join(line for line in lines if line.startswith(b"w"))
        if nodes:
            self._take_nodes(nodes)
        if ways:
            self._take_ways(ways)

    def _take_nodes(self, text: bytes) -> None:
        if self.rail:
            for found in _STATION.finditer(text):
                first = text.rfind(b"\n", 0, found.start()) + 1
                line = _STATION_LINE.match(text, first)
                tags = _tags(line[2]) if line else {}
                if line and tags.get("railway") in {"station", "halt"}:
                    self.stations[int(line[1])] = (tags, float(line[3]), float(line[4]))
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
        self.node_xy.append(units)
        self.nodes += len(units)

    def _take_ways(self, text: bytes) -> None:
        ids: list[bytes] = []
        codes: list[int] = []
        names: list[int] = []
        texts: list[bytes] = []
        code_of, meanings = self.code_of_tags, self.meanings
        all_codes: list[int] = []
        for line in text.splitlines():
            front, _, refs = line.rpartition(b" N")
            number, _, tags = front.partition(b" T")
            found = code_of.get(tags)
            code, name = self._code(tags) if found is None else found
            all_codes.append(code)
            dropped = meanings[code].dropped
            if not dropped:
                ids.append(number[1:])
                codes.append(code)
                names.append(name)
                texts.append(refs)
            elif dropped == "station_area" and refs and self.rail:
                self.station_areas.append((_tags(tags), _references(refs)))
        self.counts.update(all_codes)
        if not ids:
            return
        sizes = np.array([refs.count(b",") + 1 if refs else 0 for refs in texts], dtype=np.int64)
        joined = b",".join([refs for refs in texts if refs])
        vertices = _references(joined) if joined else np.empty(0, dtype=np.int64)
        self.way_ids.append(np.array(ids).astype(np.int64))
        self.way_codes.append(np.array(codes, dtype=np.int64))
        self.way_names.append(np.array(names, dtype=np.int64))
        self.way_sizes.append(sizes)
        self.refs.append(vertices)
        self.vertices += len(vertices)
        self.ways += len(ids)

    def _code(self, tags: bytes) -> tuple[int, int]:
        """Number of the meaning of a way's tags, and of its name.

        Most ways differ in tags that do not matter here, or in their name only; what is left of
        them is looked up before it is worked out.
        """
        if len(self.code_of_tags) > _MOST_CACHED:
            self.code_of_tags.clear()
        if len(self.meaning_of) > _MOST_CACHED:
            self.meaning_of.clear()
        names: list[bytes] = []
        read: list[bytes] = []
        for pair in tags.split(b","):
            key = pair.partition(b"=")[0]
            if key in _READ or key.endswith(b":conditional"):
                read.append(pair)
            elif key in _NAMES:
                names.append(pair)
        rest = b",".join(read)
        meaning = self.meaning_of.get(rest)
        if meaning is None:
            meaning = self.meaning_of[rest] = self.meaning(_tags(rest))
        if names and meaning.mode == "rail":  # its class hangs on its name
            meaning = replace(self.meaning(_tags(tags)), name="")
        code = self.code_of_meaning.setdefault(meaning, len(self.meanings))
        if code == len(self.meanings):
            self.meanings.append(meaning)
        name = 0
        if names and not meaning.dropped:
            named = _tags(b",".join(names))
            text = named.get("name:zh") or named.get("name") or ""
            name = self.number_of_name.setdefault(text, len(self.number_of_name))
        self.code_of_tags[tags] = code, name
        return code, name


_COMMA_TO_LINE = bytes.maketrans(b",", b"\n")


def _references(text: bytes) -> Ints:
    """Numbers of ``n1,n2,n3``."""
    column = text.translate(_COMMA_TO_LINE, b"n")
    frame = pd.read_csv(io.BytesIO(column), header=None, names=["n"], dtype=np.int64)
    return frame["n"].to_numpy(dtype=np.int64)


def _tags(text: bytes) -> dict[str, str]:
    """Tags of an OPL line."""
    pairs = [pair.partition("=") for pair in text.decode("utf-8", "replace").split(",") if pair]
    return {_plain(key): _plain(value) for key, _, value in pairs}


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda code: chr(int(code[1], 16)), text) if "%" in text else text


def _read(where: Path, held: _Held, memory_gb: float, progress: bool) -> None:
    """Decode a file batch by batch."""
    try:
        import osmium
    except ImportError as error:
        raise InputError(
            "Reading OpenStreetMap files needs osmium: pip install 'urbangeo[osm]'."
        ) from error
    kinds = osmium.osm.NODE | osmium.osm.WAY
    wanted = osmium.filter.KeyFilter(*_WAY_KEYS)
    wanted.enable_for(osmium.osm.WAY)
    try:
        with (
            where.open("rb") as stream,
            tempfile.TemporaryDirectory(prefix="urbangeo-") as folder,
            _bar(where, progress) as advance,
        ):
            form, batches = _batches(stream, where)
            lines = Path(folder) / "batch.opl"
            target = osmium.io.File(str(lines), "opl,add_metadata=none")
            for batch in batches:
                source = osmium.io.FileBuffer(batch, form)
                with (
                    osmium.io.Reader(source, kinds) as reader,
                    osmium.SimpleWriter(target, overwrite=True) as writer,
                ):
                    osmium.apply(reader, wanted, writer)
                for text in _slices(lines):
                    held.take(text)
                advance(stream.tell())
                if held.size > memory_gb * 1e9:
                    raise _too_large(where, held, memory_gb)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror or error}.") from error
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise InputError(
            f"{where} is damaged or not an OpenStreetMap file: {error}. Fetch it again."
        ) from error


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


def _too_large(where: Path, held: _Held, memory_gb: float) -> InputError:
    return InputError(
        f"{where} needs more than {memory_gb:g} GB of memory after {held.nodes:,} nodes and "
        f"{held.ways:,} ways. Cut it with `osmium extract` or `osmium tags-filter`, or raise "
        "memory_gb."
    )


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


# -- from what was read to tables ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Lines:
    """Runs of nodes that are in the file, with the way each belongs to."""

    vertex: Ints
    offsets: Ints
    way: Ints

    def take(self, rows: Ints, backwards: NDArray[np.bool_]) -> _Lines:
        vertex, offsets = take_lines(self.vertex, self.offsets, rows, backwards)
        return _Lines(vertex, offsets, self.way[rows])


class _Build:
    """Makes the tables; counts what it leaves out and repairs."""

    def __init__(self, where: Path, held: _Held) -> None:
        self.where, self.held = where, held
        self.dropped: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.snapping: dict[str, float] = {}
        self.read = {"nodes": held.nodes, "ways": held.counts.total()}
        for code, count in held.counts.items():
            meaning = held.meanings[code]
            if meaning.dropped:
                self.dropped[meaning.dropped] += count
            for note in meaning.notes:
                kind = self.repaired if note.startswith("repair: ") else self.noted
                kind[note.removeprefix("repair: ")] += count

    def tables(self) -> OsmTables:
        """Make the tables."""
        held = self.held
        if not held.ways:
            raise self._nothing("holds no road or railway that was asked for")
        ids, units = self._sorted_nodes()
        lines = self._lines()
        place, found = _find(ids, units, lines.vertex)
        areas = [
            (tags, units[where[ok]] / 1e7)
            for tags, refs in held.station_areas
            for where, ok in [_find(ids, units, refs)]
            if ok.any()
        ]
        if not found.any():
            raise self._nothing(
                "holds no node of its ways; make the extract again with their nodes, for example "
                "with `osmium extract --strategy complete_ways`"
            )
        used = np.zeros(len(ids), dtype=bool)
        used[place[found]] = True
        number = np.cumsum(used) - 1
        lines = self._present(replace(lines, vertex=number[place]), found)
        self.ids, self.xy = ids[used], units[used] / 1e7
        del ids, units, place, found, used, number
        road = np.array([one.mode == "road" for one in self.meanings])[self.code[lines.way]]
        self.kept_ways = len(np.unique(lines.way))
        parts = [self._part(lines, np.flatnonzero(road), np.zeros(len(self.ids), dtype=bool))]
        track = lines.take(np.flatnonzero(~road), np.zeros(int((~road).sum()), dtype=bool))
        names = self._stations(track, areas)
        keep = np.zeros(len(self.ids), dtype=bool)
        keep[list(names)] = True
        parts.append(self._part(lines, np.flatnonzero(~road), keep))
        if not sum(len(one.line) for one in parts):
            raise self._nothing("holds no way of which two nodes are there")
        return self._assemble(parts, names)

    def _nothing(self, why: str) -> InputError:
        reasons = "".join(f", {count:,} {reason}" for reason, count in self.dropped.items())
        return InputError(
            f"{self.where} {why}: {self.held.nodes:,} nodes, {self.read['ways']:,} ways looked at"
            f"{reasons}."
        )

    def _sorted_nodes(self) -> tuple[Ints, NDArray[np.int32]]:
        """Numbers and places of all nodes, ordered by number, the last of equal ones last."""
        held = self.held
        ids = np.concatenate(held.node_ids) if held.node_ids else np.empty(0, dtype=np.int64)
        units = np.concatenate(held.node_xy) if held.node_xy else np.empty((0, 2), dtype=np.int32)
        held.node_ids.clear()
        held.node_xy.clear()
        step = np.diff(ids)
        if (step < 0).any():
            order = np.argsort(ids, kind="stable")
            ids, units = ids[order], units[order]
            step = np.diff(ids)
        self.repaired["duplicate_nodes"] = int((step == 0).sum())
        self.repaired["node_out_of_range"] = int((~_on_earth(units)).sum())
        return ids, units

    def _lines(self) -> _Lines:
        """Ways as they stand in the file; of ways with one number only the last."""
        held = self.held
        self.way_id = way_id = np.concatenate(held.way_ids)
        self.way_name = np.concatenate(held.way_names)
        self.names = list(held.number_of_name)
        self._codes(np.concatenate(held.way_codes))
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(held.way_sizes))])
        refs = np.concatenate(held.refs)
        for lists in (held.way_ids, held.way_names, held.way_codes, held.way_sizes, held.refs):
            lists.clear()
        lines = _Lines(refs, offsets, np.arange(len(way_id)))
        _, last = np.unique(way_id[::-1], return_index=True)
        if len(last) < len(way_id):
            self.repaired["duplicate_ways"] = len(way_id) - len(last)
            rows = np.sort(len(way_id) - 1 - last)
            lines = lines.take(rows, np.zeros(len(rows), dtype=bool))
        return lines

    def _present(self, lines: _Lines, found: NDArray[np.bool_]) -> _Lines:
        """Cut ways at nodes that are not in the file; keep the runs of two and more nodes."""
        size = np.diff(lines.offsets)
        self.dropped["no_nodes"] += int((size == 0).sum())
        if found.all() and (size > 0).all():
            return lines
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
        self.repaired["missing_refs"] = int(missing.sum())
        self.repaired["clipped"] = int((there & (missing > 0)).sum())
        self.dropped["no_nodes"] += int((~there & (missing == size) & (size > 0)).sum())
        self.dropped["one_node"] += int((~there & (missing < size)).sum())
        offsets = np.concatenate([[0], np.cumsum(length[good])]).astype(np.int64)
        return _Lines(lines.vertex[found][kept], offsets, lines.way[owner[good]])

    def _codes(self, code: Ints) -> None:
        """Number what ways mean once they are turned into the sense of their traffic."""
        self.turned = np.array([one.direction < 0 for one in self.held.meanings])[code]
        number: dict[WayMeaning, int] = {}
        of_code = np.empty(len(self.held.meanings), dtype=np.int64)
        for place, meaning in enumerate(self.held.meanings):
            plain = replace(meaning, notes=())
            if plain.direction < 0:
                plain = replace(plain, direction=1, forward_kmh=plain.backward_kmh)
            if plain.direction > 0:
                plain = replace(plain, backward_kmh=None)
            of_code[place] = number.setdefault(plain, len(number))
        self.meanings = list(number)
        self.code = of_code[code]

    def _part(self, lines: _Lines, rows: Ints, keep: NDArray[np.bool_]) -> Chains:
        """Links of one mode, from junction to junction."""
        chosen = lines.take(rows, self.turned[lines.way[rows]])
        code = self.code[chosen.way]
        # Only ways that mean the same and bear the same name are joined.
        group = code * len(self.names) + self.way_name[chosen.way]
        directed = np.array(
            [one.direction > 0 or one.forward_kmh != one.backward_kmh for one in self.meanings]
        )
        made = chains(chosen.vertex, chosen.offsets, group, directed[code], keep)
        self.repaired["repeated_vertices"] += made.repeated
        self.repaired["rings"] += len(made.waypoint)
        self.dropped["one_node"] += made.empty
        self.kept_ways -= made.empty
        return replace(made, line=chosen.way[made.line])

    def _stations(
        self, track: _Lines, areas: list[tuple[dict[str, str], Floats]]
    ) -> dict[int, str]:
        """Name of the station at each node of a track that is nearest to one."""
        held = self.held
        points = [(tags, np.array([lon, lat])) for tags, lon, lat in held.stations.values()]
        named = {tags.get("name", ""): place for tags, place in points}
        for tags, corners in areas:
            middle = corners.mean(axis=0)
            twin = named.get(tags.get("name", ""))
            if twin is not None and _apart_m(twin, middle) < 2 * _STATION_REACH_M:
                self.repaired["station_merged"] += 1
            else:
                points.append((tags, middle))
        if not points:
            return {}
        urban_way = np.array([one.kind in _URBAN_CLASSES for one in self.meanings])
        is_urban = np.repeat(urban_way[self.code[track.way]], np.diff(track.offsets))
        names: dict[int, list[str]] = {}
        apart: list[float] = []
        for urban in (False, True):
            wanted = [one for one in points if _is_urban(one[0]) == urban]
            vertex = np.unique(track.vertex[is_urban == urban])
            if not wanted:
                continue
            if not len(vertex):
                self.dropped["station_no_track"] += len(wanted)
                continue
            from scipy.spatial import cKDTree

            chord, at = cKDTree(_on_sphere(self.xy[vertex])).query(
                _on_sphere(np.array([place for _, place in wanted]))
            )
            for (tags, _), metres, row in zip(wanted, chord * _EARTH_M, at, strict=True):
                if metres > _STATION_REACH_M:
                    self.dropped["station_far"] += 1
                    continue
                apart.append(float(metres))
                name = tags.get("name:zh") or tags.get("name") or ""
                there = names.setdefault(int(vertex[row]), [])
                if there:
                    self.repaired["station_merged"] += 1
                if name not in there:
                    there.append(name)
        self.snapping = {"snapped": len(apart), "unsnapped": len(points) - len(apart)}
        if apart:
            self.snapping |= {
                "median_m": float(np.median(apart)),
                "p90_m": float(np.quantile(apart, 0.9)),
                "max_m": max(apart),
            }
        return {node: "、".join(filter(None, there)) for node, there in names.items()}

    def _assemble(self, parts: list[Chains], names: Mapping[int, str]) -> OsmTables:
        road, track = parts
        n_road = len(road.line)
        way = np.concatenate([road.line, track.line])
        part = np.concatenate([road.part, track.part])
        # Nodes of roads and of tracks are apart, even where a level crossing is one node.
        vertex = np.concatenate([road.vertex, track.vertex])
        offsets = np.concatenate([road.offsets, road.offsets[-1] + track.offsets[1:]])
        two_speeds = np.array([_two_speeds(one) for one in self.meanings])[self.code[way]]
        self.noted["split_speeds"] = int(two_speeds.sum())
        rows = np.sort(np.concatenate([np.arange(len(way)), np.flatnonzero(two_speeds)]))
        backwards = np.zeros(len(rows), dtype=bool)
        backwards[1:] = rows[1:] == rows[:-1]
        vertex, offsets = take_lines(vertex, offsets, rows, backwards)
        way, part = way[rows], part[rows]
        is_rail = rows >= n_road
        ends = np.stack([vertex[offsets[:-1]], vertex[offsets[1:] - 1]])
        key = 2 * ends + is_rail
        node, inverse = np.unique(key, return_inverse=True)
        tail, head = inverse.reshape(ends.shape).astype(np.int64)
        xy = self.xy[vertex]
        length = line_lengths_m(xy, offsets)
        short = length < _SHORTEST_M
        self.repaired["zero_length"] = int(short.sum())
        length[short] = _SHORTEST_M
        links = self._links(way, part, backwards, two_speeds[rows], length)
        self._enclosed(links, tail, head, len(node))
        ring = np.concatenate([2 * road.waypoint, 2 * track.waypoint + 1])
        nodes, sizes = self._nodes(node, links, tail, head, names, ring)
        links["component"] = np.where(
            nodes["component"].to_numpy()[tail] == nodes["component"].to_numpy()[head],
            nodes["component"].to_numpy()[tail],
            np.int32(-1),
        )
        self._count_twins(links, tail, head, np.diff(offsets))
        report = self._report(links, nodes, sizes)
        return OsmTables(nodes, links, tail, head, xy, offsets, report)

    def _links(
        self,
        way: Ints,
        part: Ints,
        backwards: NDArray[np.bool_],
        two_speeds: NDArray[np.bool_],
        length: Floats,
    ) -> pd.DataFrame:
        means, code = self.meanings, self.code[way]

        def text(values: list[str]) -> pd.Categorical:
            codes, categories = pd.factorize(np.array(values, dtype=object))
            return pd.Categorical.from_codes(codes[code], pd.Index(list(categories), dtype=str))

        def number(values: list[float | None]) -> Floats:
            return np.array([np.nan if one is None else one for one in values], dtype=float)[code]

        numbers = self.way_id[way]
        ids = [
            f"w{number}-{place}{'r' if back else ''}"
            for number, place, back in zip(
                numbers.tolist(), part.tolist(), backwards.tolist(), strict=True
            )
        ]
        forward = number([one.forward_kmh for one in means])
        speed = np.where(backwards, number([one.backward_kmh for one in means]), forward)
        minutes = number([one.duration_min for one in means])
        if (timed := np.isnan(speed) & ~np.isnan(minutes)).any():
            speed[timed] = self._ferry_kmh(way[timed], minutes[timed], length[timed])
        assumed = np.array([one.assumed for one in means])[code]
        values = text([one.value for one in means])
        for value, count in pd.Series(values[assumed]).value_counts().items():
            self.assumed[str(value)] = int(count)
        for value, count in pd.Series(values[np.isnan(speed)]).value_counts().items():
            self.assumed[f"{value}（等级车速）"] = int(count)
        one_way = np.array([one.direction > 0 for one in means])[code] | two_speeds
        constant = np.zeros(len(code), dtype=np.int8)
        names, used = pd.factorize(self.way_name[way])
        return pd.DataFrame(
            {
                "id": ids,
                "mode": text([one.mode for one in means]),
                "class": text([one.kind for one in means]),
                "ref": text([one.ref for one in means]),
                "name": pd.Categorical.from_codes(
                    names, pd.Index([self.names[one] for one in used], dtype=str)
                ),
                "length_m": length,
                "speed_kmh": speed,
                "oneway": one_way,
                "status": text([one.status for one in means]),
                "open_year": number([one.open_year for one in means]),
                "planned_year": number([one.planned_year for one in means]),
                "cite": pd.Categorical.from_codes(constant, pd.Index([""])),
                "source": pd.Categorical.from_codes(constant, pd.Index(["OpenStreetMap"])),
                "precision_m": np.full(len(code), np.nan),
                "osm_highway": values,
                "osm_way": numbers,
            }
        )

    def _ferry_kmh(self, way: Ints, minutes: Floats, length: Floats) -> Floats:
        """Speed of ferries that state how long they take: the whole way in that time."""
        frame = pd.DataFrame({"way": way, "length": length})
        whole = frame.groupby("way")["length"].transform("sum").to_numpy(dtype=float)
        return np.asarray(whole / 1000.0 / (minutes / 60.0))

    def _enclosed(self, links: pd.DataFrame, tail: Ints, head: Ints, n_nodes: int) -> None:
        """Give service roads that only an expressway reaches (service areas) its class."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        road = (links["mode"] == "road").to_numpy()
        fast = (links["class"] == "expressway").to_numpy()
        rows = np.flatnonzero(road & ~fast)
        if not len(rows) or not fast.any():
            return
        graph = coo_matrix(
            (np.ones(len(rows), dtype=bool), (tail[rows], head[rows])), shape=(n_nodes, n_nodes)
        )
        count, label = connected_components(graph, directed=False)
        only_service = np.ones(count, dtype=bool)
        only_service[label[tail[rows[(links["osm_highway"] != "service").to_numpy()[rows]]]]] = (
            False
        )
        at_gate = np.zeros(count, dtype=bool)
        at_gate[label[tail[fast]]] = True
        at_gate[label[head[fast]]] = True
        inside = rows[(only_service & at_gate)[label[tail[rows]]]]
        if len(inside):
            self.noted["enclosed"] = len(inside)
            links.loc[links.index[inside], "class"] = "expressway"

    def _nodes(
        self,
        key: Ints,
        links: pd.DataFrame,
        tail: Ints,
        head: Ints,
        names: Mapping[int, str],
        ring: Ints,
    ) -> tuple[pd.DataFrame, tuple[int, ...]]:
        kinds = ["junction", "interchange", "station", "waypoint"]
        kind = np.zeros(len(key), dtype=np.int8)
        fast = (links["class"] == "expressway").to_numpy()
        slow = (links["mode"] == "road").to_numpy() & ~fast
        touched = np.zeros((2, len(key)), dtype=bool)
        for row, which in enumerate((fast, slow)):
            touched[row, tail[which]] = True
            touched[row, head[which]] = True
        kind[np.isin(key, ring)] = 3
        kind[touched.all(axis=0)] = 1
        labels = [""] * len(key)
        for node, name in names.items():
            row = int(np.searchsorted(key, 2 * node + 1))
            kind[row] = 2
            labels[row] = name
        number = self.ids[key >> 1].tolist()
        letter = np.where(key & 1, "r", "n").tolist()
        built = (links["mode"] == "road").to_numpy() & (links["status"] == "已建成").to_numpy()
        component, sizes = strong_components(
            len(key), tail[built], head[built], links["oneway"].to_numpy(dtype=bool)[built]
        )
        constant = np.zeros(len(key), dtype=np.int8)
        nodes = pd.DataFrame(
            {
                "id": [f"{one}{other}" for one, other in zip(letter, number, strict=True)],
                "kind": pd.Categorical.from_codes(kind, pd.Index(kinds)),
                "name": pd.Categorical(labels),
                "adcode": pd.Categorical.from_codes(constant, pd.Index([""])),
                "source": pd.Categorical.from_codes(constant, pd.Index(["OpenStreetMap"])),
                "precision_m": np.full(len(key), np.nan),
                "lon": self.xy[key >> 1, 0],
                "lat": self.xy[key >> 1, 1],
                "component": component,
            }
        )
        return nodes, sizes

    def _count_twins(self, links: pd.DataFrame, tail: Ints, head: Ints, size: Ints) -> None:
        """Count links that are in all things like an earlier one between the same nodes."""
        frame = pd.DataFrame(
            {
                "low": np.minimum(tail, head),
                "high": np.maximum(tail, head),
                "from": np.where(links["oneway"], tail, -1),
                "size": size,
                "length": np.round(links["length_m"].to_numpy(), 3),
                "class": links["class"].cat.codes,
            }
        )
        self.noted["duplicate_links"] = int(frame.duplicated().sum())

    def _report(
        self, links: pd.DataFrame, nodes: pd.DataFrame, sizes: tuple[int, ...]
    ) -> IngestReport:
        road = links["mode"] == "road"
        kept = {
            "ways": self.kept_ways,
            "nodes": len(nodes),
            "road_links": int(road.sum()),
            "rail_links": int((~road).sum()),
            "planned_links": int((links["status"] != "已建成").sum()),
            "stations": int((nodes["kind"] == "station").sum()),
        }
        return IngestReport(
            source=self.where.name,
            read=self.read,
            kept=kept,
            dropped=self.dropped,
            repaired=self.repaired,
            noted=self.noted,
            assumed=self.assumed,
            components=sizes,
            snapping=self.snapping,
        )


def _on_earth(units: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which places, in units of 1e-7°, are on the Earth."""
    good: NDArray[np.bool_] = (np.abs(units[:, 0]) <= 1_800_000_000) & (
        np.abs(units[:, 1]) <= 900_000_000
    )
    return good


def _find(ids: Ints, units: NDArray[np.int32], refs: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Rows of nodes by number, and whether each is in the file and has a place on the Earth."""
    if not len(ids):
        return np.zeros(len(refs), dtype=np.int64), np.zeros(len(refs), dtype=bool)
    place = np.maximum(np.searchsorted(ids, refs, side="right") - 1, 0)
    return place, (ids[place] == refs) & _on_earth(units)[place]


def _two_speeds(meaning: WayMeaning) -> bool:
    return meaning.direction == 0 and meaning.forward_kmh != meaning.backward_kmh


def _is_urban(tags: Mapping[str, str]) -> bool:
    """Tell whether a station is one of metro, light rail or tram."""
    return tags.get("station", "") in _URBAN_STATIONS or "yes" in {
        tags.get(key, "") for key in ("subway", "light_rail", "monorail")
    }


def _on_sphere(lonlat: Floats) -> Floats:
    lon, lat = np.radians(lonlat[:, 0]), np.radians(lonlat[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _apart_m(one: Floats, other: Floats) -> float:
    return float(np.linalg.norm(np.diff(_on_sphere(np.stack([one, other])), axis=0)) * _EARTH_M)
