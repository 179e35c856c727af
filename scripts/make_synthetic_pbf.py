"""Write an OpenStreetMap extract of a province's size that no map has: a test of scale.

Run ``python scripts/make_synthetic_pbf.py out.osm.pbf``. The same options give the same objects.
A crooked lattice of roads covers the extent of Guizhou: villages' roads, every 4th row and column
a secondary road, every 8th a primary, every 16th a trunk road, every 64th an expressway of two
carriageways with ramps every 16 columns, every 96th row a railway with stations. A sixth of the
smallest roads is missing, so that roads bend and end; three in ten ways are buildings and streams,
which a reader of networks has to skip. Rows are made and written one at a time, so memory does not
grow with the size.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.osm import mutable

WEST, SOUTH, EAST, NORTH = 103.6, 24.6, 109.6, 29.2
FIRST_ID, STEP = 1_000_000_001, 7  # as in real extracts ids leave gaps
SPACE = 10_000_000  # ids of one kind of node
ROADS = 0.7  # share of ways that are roads
PER_JUNCTION = 1.78  # roads for each junction of the lattice, after the gaps


@dataclass(frozen=True)
class Row:
    """One row of the lattice: junctions, bends of the roads that leave them east and north."""

    junctions: NDArray[np.float64]
    east: NDArray[np.float64]
    north: NDArray[np.float64]
    bends: NDArray[np.int64]
    there: NDArray[np.bool_]
    draw: NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """How many rows and columns, how many bends a road has at most, and the seed."""

    rows: int
    columns: int
    most_bends: int
    seed: int

    def place(self, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Longitude and latitude of places on the lattice."""
        return np.stack(
            [
                WEST + (columns + 0.5) * (EAST - WEST) / self.columns,
                SOUTH + (rows + 0.5) * (NORTH - SOUTH) / self.rows,
            ],
            axis=-1,
        )

    def row(self, number: int) -> Row:
        """Make one row; the same whenever it is asked for."""
        rng = np.random.default_rng((self.seed, number))
        columns, bends = self.columns, self.most_bends
        along = np.arange(columns, dtype=float)
        junctions = self.place(np.full(columns, float(number)), along)
        junctions += rng.normal(0, 1e-4, junctions.shape)
        steps = (np.arange(bends) + 1.0) / (bends + 1.0)
        shape = (columns, bends)
        east = self.place(np.full(shape, float(number)), along[:, None] + steps)
        north = self.place(number + np.broadcast_to(steps, shape), np.tile(along[:, None], bends))
        east += rng.normal(0, 1.5e-4, east.shape)
        north += rng.normal(0, 1.5e-4, north.shape)
        minor = np.stack(
            [
                np.full(columns, number % 4 != 0),
                np.arange(columns) % 4 != 0,
            ],
            axis=1,
        )
        there = ~(minor & (rng.random((columns, 2)) < 1 / 6))
        there[-1, 0] = False
        if number == self.rows - 1:
            there[:, 1] = False
        counts = rng.integers(1, bends + 1, (columns, 2))
        return Row(junctions, east, north, counts, there, rng.random((columns, 2)))


def node_id(kind: int, index: int) -> int:
    """Id of the node at a place in the numbering of its kind."""
    return FIRST_ID + STEP * (kind * SPACE * 4 + index)


def write_nodes(lattice: Lattice, others: int, out: osmium.SimpleWriter) -> int:
    """Write every node, ordered by id; gives their number."""
    node = mutable.Node(id=1, location=(0.0, 0.0), version=1, tags={})
    made = 0

    def put(number: int, place: list[float], tags: dict[str, str] | None = None) -> None:
        nonlocal made
        node.id, node.location, node.tags = number, (place[0], place[1]), tags or {}
        out.add_node(node)
        made += 1

    columns = lattice.columns
    for number in range(lattice.rows):
        for column, place in enumerate(lattice.row(number).junctions.tolist()):
            lit = {"highway": "traffic_signals"} if (number + column) % 97 == 0 else None
            put(node_id(0, number * columns + column), place, lit)
    for kind in (0, 1):
        for number in range(lattice.rows):
            row = lattice.row(number)
            bends = row.north if kind else row.east
            for column, places in enumerate(bends.tolist()):
                if row.there[column, kind]:
                    first = (number * columns + column) * lattice.most_bends
                    for bend in range(row.bends[column, kind]):
                        put(node_id(1 + kind, first + bend), places[bend])
    for number in range(0, lattice.rows, 64):
        for side in (0, 1):
            for column in range(columns):
                place = lattice.place(np.array(number + 0.3 + 0.05 * side), np.array(column + 0.0))
                put(node_id(3, (number * 2 + side) * columns + column), place.tolist())
    for number in range(10, lattice.rows, 96):
        for column in range(columns):
            place = lattice.place(np.array(number + 0.6), np.array(column + 0.0)).tolist()
            stop = column % 64 == 8
            name = {"railway": "station", "name": f"{number}-{column}站"} if stop else None
            put(node_id(4, number * columns + column), place, name)
    for index, corners in enumerate(other_places(lattice, others)):
        for corner, place in enumerate(corners):
            put(node_id(5, index * 4 + corner), place)
    return made


def other_places(lattice: Lattice, others: int) -> Iterator[list[list[float]]]:
    """Four corners of each building or stream."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 1.5e-4
    for first in range(0, others, 10_000):
        rng = np.random.default_rng((lattice.seed, 7, first))
        size = min(10_000, others - first)
        at = rng.uniform((WEST, SOUTH), (EAST, NORTH), (size, 2))
        yield from (at[:, None, :] + square).tolist()


def tags_of(number: int, column: int, kind: int, draw: float) -> dict[str, str]:
    """Tags of a road: its class by its line, the rest by chance."""
    line = column if kind else number
    letter = "NE"[kind]
    if line % 16 == 0:
        tags = {"highway": "trunk", "ref": f"G{200 + line // 16}", "name": f"{letter}{line}国道"}
    elif line % 8 == 0:
        tags = {"highway": "primary", "ref": f"S{300 + line // 8}", "name": f"{letter}{line}省道"}
    elif line % 4 == 0:
        tags = {"highway": "secondary", "ref": f"X{line // 4:03d}"}
    elif draw < 0.15:
        tags = {"highway": "tertiary", "name": f"{letter}{line}路"}
    elif draw < 0.45:
        tags = {"highway": "residential"}
        if draw < 0.3:
            tags["name"] = f"{number}-{column}巷"
    elif draw < 0.8:
        tags = {"highway": "unclassified"}
    elif draw < 0.93:
        tags = {"highway": "service"}
    else:
        tags = {"highway": "track", "tracktype": "grade3"}
    # Tags that a reader of networks has to pass over
    tags["surface"] = ("asphalt", "concrete", "gravel")[int(draw * 1e5) % 3]
    tags["source"] = f"survey {int(draw * 1e6) % 400}"
    if 0.3 < draw < 0.4:
        tags["maxspeed"] = ("30", "40", "60", "60;80", "CN:urban")[int(draw * 1000) % 5]
    if 0.5 < draw < 0.54:
        tags["oneway"] = "yes"
    if 0.6 < draw < 0.62:
        tags |= {"bridge": "yes", "layer": "1"}
    if 0.7 < draw < 0.71:
        tags["access"] = "private"
    return tags


def write_ways(lattice: Lattice, others: int, out: osmium.SimpleWriter) -> int:
    """Write every way; gives their number."""
    way = mutable.Way(id=1, nodes=[], version=1, tags={})
    made = 0

    def put(nodes: list[int], tags: dict[str, str]) -> None:
        nonlocal made
        made += 1
        way.id, way.nodes, way.tags = 10_000_000 + 3 * made, nodes, tags
        out.add_way(way)

    columns, most = lattice.columns, lattice.most_bends
    for number in range(lattice.rows):
        row = lattice.row(number)
        bends, there, draw = row.bends.tolist(), row.there.tolist(), row.draw.tolist()
        for column in range(columns):
            here = number * columns + column
            for kind in (0, 1):
                if not there[column][kind]:
                    continue
                middle = [
                    node_id(1 + kind, here * most + bend) for bend in range(bends[column][kind])
                ]
                far = node_id(0, here + (columns if kind else 1))
                put(
                    [node_id(0, here), *middle, far],
                    tags_of(number, column, kind, draw[column][kind]),
                )
    fast = {"highway": "motorway", "oneway": "yes", "maxspeed": "120", "lanes": "2"}
    for number in range(0, lattice.rows, 64):
        for side in (0, 1):
            line = [node_id(3, (number * 2 + side) * columns + c) for c in range(columns)]
            for first in range(0, columns - 1, 16):
                part = line[first : first + 17]
                put(part if side else part[::-1], fast | {"ref": f"G{60 + number // 64}"})
            for column in range(0, columns, 16):
                ground, gate = node_id(0, number * columns + column), line[column]
                ramp = {"highway": "motorway_link", "oneway": "yes", "maxspeed": "40"}
                put([ground, gate], ramp)
                put([gate, ground], ramp)
    for number in range(10, lattice.rows, 96):
        line = [node_id(4, number * columns + c) for c in range(columns)]
        for first in range(0, columns - 1, 32):
            rail = {"railway": "rail", "maxspeed": "250", "highspeed": "yes", "usage": "main"}
            put(line[first : first + 33], rail | {"name": f"{number}号线"})
    for index in range(others):
        ring = [node_id(5, index * 4 + corner) for corner in range(4)]
        if index % 8:
            put([*ring, ring[0]], {"building": "yes"})
        else:
            put(ring, {"waterway": "stream"})
    return made


def make(path: Path, ways: int, most_bends: int, seed: int) -> tuple[int, int]:
    """Write the extract; gives the numbers of nodes and ways."""
    junctions = ways * ROADS / PER_JUNCTION
    rows = max(2, round((junctions * (NORTH - SOUTH) / (EAST - WEST)) ** 0.5))
    lattice = Lattice(rows, max(2, round(junctions / rows)), most_bends, seed)
    others = round(ways * (1 - ROADS))
    header = osmium.io.Header()
    header.set("generator", "urbangeo synthetic")
    box = osmium.osm.Box(WEST - 0.1, SOUTH - 0.1, EAST + 0.1, NORTH + 0.1)
    header.add_box(box)
    with osmium.SimpleWriter(path, header=header, overwrite=True) as out:
        return write_nodes(lattice, others, out), write_ways(lattice, others, out)


def main() -> None:
    """Write the extract and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="file to write, .osm.pbf or any that osmium knows")
    parser.add_argument("--ways", type=int, default=1_000_000)
    parser.add_argument("--bends", type=int, default=12, help="bends of a road at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    nodes, ways = make(options.path, options.ways, options.bends, options.seed)
    size = options.path.stat().st_size / 1e6
    print(f"{options.path}: {nodes:,} nodes, {ways:,} ways, {size:,.0f} MB")


if __name__ == "__main__":
    main()
