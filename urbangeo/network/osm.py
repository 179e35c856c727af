"""The roads and railways of an OpenStreetMap file as the tables of a network.

:mod:`~urbangeo.network.osmfile` cuts the file into batches, which
:mod:`~urbangeo.network.osmelements` has osmium decode and reads as arrays,
:mod:`~urbangeo.network.osmstations` finds the tracks of the stations, and here links between
junctions are made of the ways, with their nodes and the report.

osmium 4.3 was chosen over pyrosm 0.25 after measuring both (``benchmarks/ingest.py``; each column
is one run on two busy cores), from the file to a graph of roads:

=====================  ==================  ===================
                       99 thousand ways    989 thousand ways
=====================  ==================  ===================
read_osm, PBF          3.4 s, 0.31 GB      29 s, 0.97 GB
pyrosm to igraph       18 s, 0.60 GB       174 s, 2.74 GB
pyrosm to networkx     12 s, 0.77 GB       138 s, 3.71 GB
read_osm, XML          4.1 s, 0.34 GB
OSMnx, XML             210 s, 2.52 GB
=====================  ==================  ===================

osmium reads all formats, pyrosm only PBF. An object of osmium for each way and node, in a loop,
takes some five times as long as its lines of text.

Memory: some 40 bytes for each node of the file, 150 for each vertex of a way that is kept and 600
for each such way, which ``memory_gb`` bounds; beside it a batch adds 0.3 GB, and at most 2.7 GB
where a hostile file packs the largest blobs that the format allows. On disk there is one batch of
text at a time: 50 MB, and at most 0.5 GB.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError
from urbangeo.network.ingest import IngestReport, strong_components
from urbangeo.network.osmelements import Elements, Lines, joined, read_elements
from urbangeo.network.osmstations import Stations, stations_at_tracks
from urbangeo.network.osmtags import DRIVABLE, WayMeaning, way_meaning
from urbangeo.network.simplify import Chains, chains, line_lengths_m, take_lines
from urbangeo.vector import local_path

__all__ = ["OsmTables", "read_osm"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SHORTEST_M = 0.01  # the step of OpenStreetMap's coordinates
_URBAN_CLASSES = frozenset({"metro", "suburban"})


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
    where = local_path(path, "OpenStreetMap file", folder=False)
    _check_speeds(speeds)
    _check_classes(classes)

    def meaning(tags: Mapping[str, str]) -> WayMeaning:
        return way_meaning(
            tags, rail=rail, planned=planned, ferries=ferries, classes=classes, speeds=speeds
        )

    elements = read_elements(
        where, meaning, rail=rail, memory_gb=memory_gb, progress=bool(progress)
    )
    return _Build(where, elements).tables()


def _check_classes(classes: Collection[str] | None) -> None:
    known = DRIVABLE | {"track"}
    unknown = sorted(set(classes or ()) - known)
    if unknown:
        raise InputError(
            f"classes names {', '.join(unknown)}; values of highway for cars are expected: "
            f"{', '.join(sorted(known))}."
        )


def _check_speeds(speeds: Mapping[str, float] | None) -> None:
    for key, value in (speeds or {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1000:
            raise InputError(
                f"speeds[{key!r}] is {value!r}; a speed in km/h above 0 is expected for each value "
                "of highway or railway."
            )


class _Build:
    """Makes the tables of the elements of a file; counts what it leaves out and repairs."""

    def __init__(self, where: Path, elements: Elements) -> None:
        self.where = where
        self.dropped: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.read = {"nodes": elements.nodes, "ways": elements.counts.total()}
        for code, count in elements.counts.items():
            meaning = elements.meanings[code]
            if meaning.dropped:
                self.dropped[meaning.dropped] += count
            for note in meaning.notes:
                kind = self.repaired if note.startswith("repair: ") else self.noted
                kind[note.removeprefix("repair: ")] += count
        if not elements.ways:
            raise self._nothing("holds no road or railway that was asked for")
        drawing = joined(elements)
        self.dropped.update(drawing.dropped)
        self.repaired.update(drawing.repaired)
        if not len(drawing.ids):
            raise self._nothing(
                "holds no node of its ways; make the extract again with their nodes, for example "
                "with `osmium extract --strategy complete_ways`"
            )
        self.ids, self.xy, self.lines = drawing.ids, drawing.xy, drawing.lines
        self.way_id, self.way_name = drawing.way_id, drawing.way_name
        self.names = list(elements.names)
        # Meanings of links, which lead in the sense of their traffic; the row for each way
        self.meanings, row = _in_sense_of_traffic(elements.meanings)
        self.code = row[drawing.way_code]
        against = np.array([one.direction < 0 for one in elements.meanings])
        self.turned: Bools = against[drawing.way_code]
        self.kept_ways = len(np.unique(self.lines.way))
        self.points, self.areas = elements.stations.values(), drawing.areas

    def _nothing(self, why: str) -> InputError:
        looked = f"{self.read['nodes']:,} nodes, {self.read['ways']:,} ways looked at"
        reasons = [f", {count:,} {reason}" for reason, count in self.dropped.items() if count]
        return InputError(f"{self.where} {why}: {looked}{''.join(reasons)}.")

    def tables(self) -> OsmTables:
        """Make the tables."""
        return self._assemble(*self._parts())

    def _parts(self) -> tuple[Chains, Chains, Stations]:
        """Links of roads, those of railways, and the stations that these end at."""
        lines = self.lines
        is_road = np.array([one.mode == "road" for one in self.meanings])[self.code[lines.way]]
        road, track = (
            lines.take(rows, self.turned[lines.way[rows]])
            for rows in (np.flatnonzero(is_road), np.flatnonzero(~is_road))
        )
        stations = self._stations(track)
        keep = np.zeros(len(self.ids), dtype=bool)
        roads = self._chains(road, keep)
        keep[list(stations.names)] = True
        tracks = self._chains(track, keep)
        if not len(roads.line) + len(tracks.line):
            raise self._nothing("holds no way of which two nodes are there")
        return roads, tracks, stations

    def _stations(self, track: Lines) -> Stations:
        urban_code = np.array([one.kind in _URBAN_CLASSES for one in self.meanings])
        urban = np.repeat(urban_code[self.code[track.way]], np.diff(track.offsets))
        made = stations_at_tracks(
            self.points,
            self.areas,
            self.xy,
            np.unique(track.vertex[~urban]),
            np.unique(track.vertex[urban]),
        )
        self.dropped.update(made.dropped)
        self.repaired.update(made.repaired)
        return made

    def _chains(self, lines: Lines, keep: Bools) -> Chains:
        """Links of one mode, from junction to junction."""
        code = self.code[lines.way]
        # Only ways that mean the same and bear the same name are joined, and none that states how
        # long it takes itself.
        group = code * len(self.names) + self.way_name[lines.way]
        timed = np.array([one.duration_min is not None for one in self.meanings])[code]
        group[timed] = len(self.meanings) * len(self.names) + lines.way[timed]
        directed = np.array(
            [one.direction > 0 or one.forward_kmh != one.backward_kmh for one in self.meanings]
        )
        made = chains(lines.vertex, lines.offsets, group, directed[code], keep)
        self.repaired["repeated_vertices"] += made.repeated
        self.repaired["rings"] += len(made.waypoint)
        self.dropped["one_node"] += made.empty
        self.kept_ways -= made.empty
        return replace(made, line=lines.way[made.line])

    def _assemble(self, road: Chains, track: Chains, stations: Stations) -> OsmTables:
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
        nodes, sizes = self._nodes(node, links, tail, head, stations.names, ring)
        links["component"] = np.where(
            nodes["component"].to_numpy()[tail] == nodes["component"].to_numpy()[head],
            nodes["component"].to_numpy()[tail],
            np.int32(-1),
        )
        self._count_twins(links, tail, head, np.diff(offsets))
        report = self._report(links, nodes, sizes, stations.snapping)
        return OsmTables(nodes, links, tail, head, xy, offsets, report)

    def _links(
        self,
        way: Ints,
        part: Ints,
        backwards: Bools,
        two_speeds: Bools,
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
            f"w{one}-{place}{'r' if back else ''}"
            for one, place, back in zip(
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
        self,
        links: pd.DataFrame,
        nodes: pd.DataFrame,
        sizes: tuple[int, ...],
        snapping: Mapping[str, float],
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
            snapping=snapping,
        )


def _in_sense_of_traffic(meanings: list[WayMeaning]) -> tuple[list[WayMeaning], Ints]:
    """Meanings of ways turned round where they are against it; and for each the row of its own.

    What is not told by a link, such as notes, keeps no two of them apart.
    """
    number: dict[WayMeaning, int] = {}
    row = np.empty(len(meanings), dtype=np.int64)
    for place, meaning in enumerate(meanings):
        plain = replace(meaning, notes=())
        if plain.direction < 0:
            plain = replace(plain, direction=1, forward_kmh=plain.backward_kmh)
        if plain.direction > 0:
            plain = replace(plain, backward_kmh=None)
        row[place] = number.setdefault(plain, len(number))
    return list(number), row


def _two_speeds(meaning: WayMeaning) -> bool:
    return meaning.direction == 0 and meaning.forward_kmh != meaning.backward_kmh
