"""All layers of the atlas in one GeoPackage, each with its styles, and where it is from.

Styles stand where QGIS looks for them: in the table ``layer_styles``, the topmost one of a layer as
its default. Every table says in ``gpkg_contents`` what it is and whose data it holds, and once more
in the table ``provenance``. The same maps give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from urbangeo.errors import InputError, OutputError
from urbangeo.files import writing
from urbangeo.maps.qgis.style import qml

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.maps.qgis.records import ExportLayer, ExportMap

__all__ = ["Stored", "stored_tables", "table_names", "write_geopackage"]

_DATE = "2000-01-01T00:00:00.000Z"
"""In place of the hour, which would make each run differ."""
_GDAL = {"OGR_CURRENT_DATE": _DATE, "OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_SQLITE_JOURNAL": "OFF"}
_ABOUT = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_ogr_contents", "gpkg_extensions")
"""Tables that tell of tables."""
_VERSION = "1.2"
"""Of the format: the QGIS of Debian 12 warns of a later one."""
_TYPES = {"point": "Point", "line": "MultiLineString", "area": "MultiPolygon"}
_STYLES = """
CREATE TABLE "layer_styles" (
"id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
"f_table_catalog" TEXT(256), "f_table_schema" TEXT(256), "f_table_name" TEXT(256),
"f_geometry_column" TEXT(256), "styleName" TEXT(30), "styleQML" TEXT, "styleSLD" TEXT,
"useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30),
"update_time" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""
_STYLE_NAME = 30
"""Letters that QGIS keeps of a style's name."""


@dataclass
class Stored:
    """A table of the GeoPackage.

    Attributes
    ----------
    name
        Of the table.
    layer
        The first layer that uses it.
    title
        Of the topmost layer that uses it.
    maps
        Those that draw it.
    styles
        QML by name, the topmost one on a map last.
    """

    name: str
    layer: ExportLayer
    title: str
    maps: list[ExportMap] = field(default_factory=list)
    styles: dict[str, str] = field(default_factory=dict)


def stored_tables(maps: Sequence[ExportMap]) -> list[Stored]:
    """Give the tables that maps need; what several of them draw stands once.

    Layers that name the same table and hold the same rows share it. Where the rows differ, the
    later one's name takes a number.
    """
    names = table_names(maps)
    found: dict[str, Stored] = {}
    for one in maps:
        for layer in one.layers:
            name = names[id(layer)]
            table = found.setdefault(name, Stored(name, layer, layer.title))
            table.title = layer.title
            if all(one is not other for other in table.maps):
                table.maps.append(one)
            _add_style(table, layer.title, qml(layer, one.scale))
    return list(found.values())


def _add_style(table: Stored, title: str, text: str) -> None:
    if text in table.styles.values():
        return
    name, count = title[:_STYLE_NAME], 1
    while name in table.styles:
        count += 1
        name = f"{title[: _STYLE_NAME - 4]} {count}"
    table.styles[name] = text


def table_names(maps: Sequence[ExportMap]) -> dict[int, str]:
    """Give the table of each layer, by the layer's ``id``."""
    contents: dict[str, str] = {}
    found = {}
    for one in maps:
        for layer in one.layers:
            digest = _digest(layer.frame)
            name, count = layer.table, 1
            while contents.setdefault(name, digest) != digest:
                count += 1
                name = f"{layer.table}_{count}"
            found[id(layer)] = name
    return found


def _digest(frame: gpd.GeoDataFrame) -> str:
    total = hashlib.sha256()
    for shape in frame.geometry.to_wkb():
        total.update(shape)
    total.update(frame.drop(columns="geometry").to_csv(index=False).encode())
    return total.hexdigest()


def write_geopackage(maps: Sequence[ExportMap], path: str | os.PathLike[str]) -> list[Path]:
    """Write the layers of maps, their styles and where they are from.

    Parameters
    ----------
    maps
        In the order of the atlas.
    path
        The file, ``.gpkg``; replaced whole or not at all.

    Returns
    -------
    list of pathlib.Path
        The GeoPackage, then a ``.qml`` with the default style of each table, in the folder
        ``<name>-styles`` beside it.

    Raises
    ------
    InputError
        If there is nothing to write.
    OutputError
        If a file cannot be written.
    """
    tables = stored_tables(maps)
    if not tables:
        raise InputError("No map has a layer, so there is no GeoPackage to write.")
    target = Path(path)
    with writing(target) as draft:
        _write_tables(tables, draft)
    written = [target]
    for table in tables:
        beside = target.with_name(f"{target.stem}-styles") / f"{table.name}.qml"
        with writing(beside) as draft:
            draft.write_text(list(table.styles.values())[-1], encoding="utf-8", newline="\n")
        written.append(beside)
    return written


def _write_tables(tables: Sequence[Stored], path: Path) -> None:
    """Write all tables; one at a time by itself, because GDAL opens a file of hundreds slowly."""
    import pyogrio
    from pyogrio import errors

    previous = {name: pyogrio.get_gdal_config_option(name) for name in _GDAL}
    pyogrio.set_gdal_config_options(_GDAL)
    part = path.with_name("part.gpkg")
    try:
        _write_table(tables[0], path)
        # A draft needs no safety against a loss of power.
        with closing(sqlite3.connect(path, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = OFF")
            base.execute("PRAGMA journal_mode = OFF")
            for table in tables[1:]:
                _write_table(table, part)
                _take_over(base, part, table.name)
                part.unlink()
            base.execute("BEGIN")
            _describe(base, tables)
            _add_styles(base, tables)
            base.execute("COMMIT")
        pyogrio.write_dataframe(_provenance(tables), path, layer="provenance", driver="GPKG")
    except (
        sqlite3.Error,
        errors.DataSourceError,
        errors.DataLayerError,
        errors.FeatureError,
    ) as error:
        raise OutputError(f"Cannot write {path.name}: {error}") from error
    finally:
        pyogrio.set_gdal_config_options(previous)


def _write_table(table: Stored, path: Path) -> None:
    import pyogrio

    pyogrio.write_dataframe(
        table.layer.frame,
        path,
        layer=table.name,
        driver="GPKG",
        geometry_type=_TYPES[table.layer.kind],
        dataset_options={"VERSION": _VERSION},
    )


def _take_over(base: sqlite3.Connection, part: Path, table: str) -> None:
    """Copy a table with its index and triggers from another GeoPackage."""
    index = f"rtree_{table}_geom"
    base.execute("ATTACH ? AS part", (str(part),))
    try:
        base.execute("BEGIN")
        made = dict(base.execute("SELECT name, sql FROM part.sqlite_master WHERE sql NOT NULL"))
        for name in (table, index):
            base.execute(made[name])
            rows = f'SELECT * FROM part."{name}" ORDER BY 1'  # noqa: S608 our own name
            base.execute(f'INSERT INTO main."{name}" {rows}')
        for (text,) in base.execute(
            "SELECT sql FROM part.sqlite_master WHERE type = 'trigger' AND tbl_name = ? "
            "ORDER BY rowid",
            (table,),
        ).fetchall():
            base.execute(text)
        for about in _ABOUT:
            rows = f"SELECT * FROM part.{about} WHERE table_name = ? ORDER BY rowid"  # noqa: S608
            base.execute(f"INSERT INTO main.{about} {rows}", (table,))
        base.execute("COMMIT")
    finally:
        base.execute("DETACH part")


def _describe(base: sqlite3.Connection, tables: Sequence[Stored]) -> None:
    """Give each table a Chinese name of its own and the words on its origin."""
    taken: set[str] = set()
    for table in tables:
        titles = [one.name for one in table.maps]
        title = f"{titles[0]}：{table.title}" if len(titles) == 1 else table.title
        name, count = title, 1
        while name in taken:
            count += 1
            name = f"{title}（{count}）"
        taken.add(name)
        more = f"等 {len(titles)} 幅图" if len(titles) > 3 else ""
        words = f"用于{'、'.join(titles[:3])}{more}。{table.layer.provenance.words()}"
        base.execute(
            "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
            (name, words, table.name),
        )


def _add_styles(base: sqlite3.Connection, tables: Sequence[Stored]) -> None:
    base.execute(_STYLES.strip().replace("\n", " "))
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '图层样式（QGIS）', ?)",
        (_DATE,),
    )
    rows = [
        (table.name, "geom", name, text, row == len(table.styles) - 1, table.title, _DATE)
        for table in tables
        for row, (name, text) in enumerate(table.styles.items())
    ]
    base.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
        "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, "
        "update_time) VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', NULL, ?)",
        rows,
    )


def _provenance(tables: Sequence[Stored]) -> pd.DataFrame:
    """List where each table is from, a row for each map that draws it."""
    import pandas as pd

    rows = []
    for table in tables:
        about = table.layer.provenance
        rows += [
            {
                "table_name": table.name,
                "title": table.title,
                "figure": one.key,
                "figure_title": one.name,
                "plan": about.plan,
                "cite": "、".join(about.cites),
                "source": "；".join(about.sources),
                "attribution": "；".join(about.attributions),
                "licence": "；".join(about.licences),
                "network_digest": about.network,
                "network_year": about.year,
                "schematic": about.schematic,
            }
            for one in table.maps
        ]
    return pd.DataFrame(rows)
