"""Writes small OpenStreetMap files for the tests, in every format, with osmium; and reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from urbangeo.network.osm import OsmTables, read_osm

Nodes = Mapping[int, Sequence[Any]]
Ways = Iterable[tuple[int, Sequence[int], Mapping[str, str]]]

ROAD = {"highway": "primary"}
FORMATS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf")

# One degree of longitude and of latitude at 27° N, metres (series for WGS 84)
LON_M, LAT_M = 99_253.0, 110_793.0


def grid(columns: int, rows: int = 1, step: float = 0.01) -> dict[int, tuple[float, float]]:
    """Nodes 1, 2, … along rows from the west, the first row in the south, from 107 E, 27 N."""
    return {
        row * columns + column + 1: (round(107 + column * step, 7), round(27 + row * step, 7))
        for row in range(rows)
        for column in range(columns)
    }


def write_osm(path: Path, nodes: Nodes, ways: Ways) -> Path:
    """Write nodes (id: lon, lat and perhaps tags) and ways (id, node ids, tags).

    The format is that of the suffix: ``.osm``, ``.osm.gz``, ``.osm.bz2``, ``.osm.pbf``.
    """
    import osmium
    from osmium.osm import mutable

    with osmium.SimpleWriter(str(path), overwrite=True) as out:
        for number, (lon, lat, *tags) in nodes.items():
            out.add_node(
                mutable.Node(
                    id=number, location=(lon, lat), version=1, tags=tags[0] if tags else {}
                )
            )
        for number, refs, tags in ways:
            out.add_way(mutable.Way(id=number, nodes=list(refs), version=1, tags=dict(tags)))
    return path


def write_xml(path: Path, body: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> Path:
    """Write an XML file by hand, for what osmium would not write."""
    path.write_text(f'{head}<osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


def xml_nodes(nodes: Nodes) -> str:
    """Nodes as elements of XML."""
    return "".join(f'<node id="{i}" lon="{lon}" lat="{lat}"/>' for i, (lon, lat) in nodes.items())


def xml_way(number: int, refs: Iterable[int], **tags: str) -> str:
    """One way as an element of XML."""
    inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    inside += "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}">{inside}</way>'


def read_drawn(folder: Path, nodes: Nodes, ways: Ways, **options: Any) -> OsmTables:
    """Write nodes and ways and read them."""
    return read_osm(write_osm(folder / "x.osm.pbf", nodes, ways), **options)


def ends(tables: OsmTables) -> list[tuple[str, str]]:
    """Names of the two nodes of each link."""
    ids = tables.nodes["id"].to_numpy()
    return list(zip(ids[tables.tail], ids[tables.head], strict=True))
