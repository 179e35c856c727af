"""A network as one file: Parquet to read again, GeoPackage for a GIS.

The Parquet file is one table of three kinds of rows, told apart by the column ``table``: nodes,
links and calls of services, each in row groups of its own. Its geometry is well-known binary with
the metadata of GeoParquet 1.1, so that other programs read it too, for example
``geopandas.read_parquet(path, filters=[("table", "==", "links")])``. Geometry is decoded only when
somebody asks for it. What is no row (profile, facts, history, report) stands as JSON in the
file's metadata.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from urbangeo.crs import WGS84
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.network.facts import Facts
from urbangeo.network.lines import Lines
from urbangeo.network.profiles import AccessRule, BoardingRule, CarRule, Profile, TerrainRule
from urbangeo.network.tables import (
    LINK_COLUMNS,
    NODE_COLUMNS,
    SERVICE_COLUMNS,
    Tables,
    categorical,
    completed,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from urbangeo.network.network import Network

__all__ = ["read_parquet", "write"]

_KEY = b"urbangeo"
_FORMAT = 1
_TABLES = ("nodes", "links", "services")
_ENDS = ("tail", "head")


def write(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a view; see :meth:`urbangeo.network.Network.write`."""
    writers = {".parquet": _write_parquet, ".gpkg": _write_gpkg}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise InputError(f"{path}: a network is written as .parquet or .gpkg, not {suffix!r}.")
    with writing(path) as draft:
        writers[suffix](net, draft)


# -- GeoPackage ------------------------------------------------------------------------------


def _write_gpkg(net: Network, path: Path) -> None:
    from urbangeo.vector import write_gpkg

    about = pd.DataFrame(
        [(key, json.dumps(value, ensure_ascii=False)) for key, value in net.describe().items()],
        columns=["key", "value"],
    )
    tables = {"services": net.services} if len(net.services) else {}
    write_gpkg(path, {"nodes": net.nodes, "links": net.links}, {**tables, "about": about})


# -- Parquet, written ------------------------------------------------------------------------


def _write_parquet(net: Network, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    t, rows = net._tables, net.link_rows
    links = t.links.iloc[rows].reset_index(drop=True)
    for name, ends in zip(_ENDS, (t.tail, t.head), strict=True):
        links[name] = ends[rows]
    lines = t.lines if len(rows) == len(t.lines) else t.lines.take(rows)
    tables = {
        "nodes": _arrow(t.nodes, "nodes", shapely.points(t.lonlat)),
        "links": _arrow(links, "links", lines.geometry),
        "services": _arrow(t.services.iloc[net.service_rows].reset_index(drop=True), "services"),
    }
    schema = pa.unify_schemas([one.schema for one in tables.values()], promote_options="permissive")
    made = Tables(
        t.nodes, links.drop(columns=list(_ENDS)), t.tail[rows], t.head[rows], lines,
        t.services.iloc[net.service_rows].reset_index(drop=True),
    )  # fmt: skip
    schema = schema.with_metadata({_KEY: _record(net, made, tables), b"geo": _geo(net)})
    with pq.ParquetWriter(path, schema, compression="lz4") as file:
        for one in tables.values():
            if len(one):
                file.write_table(_filled(one, schema))


def _arrow(frame: pd.DataFrame, table: str, geometry: Any = None) -> pa.Table:
    import pyarrow as pa

    frame = frame.copy(deep=False)
    for column in _mixed(frame):
        frame[column] = [_as_json(one) for one in frame[column]]
    made = pa.Table.from_pandas(frame, preserve_index=False)
    made = made.replace_schema_metadata(None)
    for place, one in enumerate(made.schema):
        if pa.types.is_dictionary(one.type):
            plain = made.column(place).cast(pa.string())
            made = made.set_column(place, one.name, plain)
        elif pa.types.is_large_string(one.type):
            made = made.set_column(place, one.name, made.column(place).cast(pa.string()))
    made = made.add_column(0, "table", pa.array([table] * len(made), pa.string()))
    if geometry is not None:
        wkb = pa.array(shapely.to_wkb(geometry), pa.binary())
        made = made.append_column("geometry", wkb)
    return made


def _mixed(frame: pd.DataFrame) -> list[str]:
    """Columns of lists, dictionaries or values of several kinds: each cell is kept as JSON."""
    return [
        column
        for column in frame.columns
        if frame[column].dtype == np.dtype(object)
        and not all(isinstance(one, str) or one is None for one in frame[column])
    ]


def _as_json(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return json.dumps(value, ensure_ascii=False, default=str)


def _filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give a table all columns of a schema, null where it has none."""
    import pyarrow as pa

    columns = [
        table.column(one.name).cast(one.type)
        if one.name in table.column_names
        else pa.nulls(len(table), one.type)
        for one in schema
    ]
    return pa.table(columns, schema=schema)


def _geo(net: Network) -> bytes:
    column = {
        "encoding": "WKB",
        "geometry_types": ["Point", "LineString"],
        "bbox": list(net.bounds),
        "crs": WGS84.to_json_dict(),
    }
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return json.dumps(geo).encode()


def _record(net: Network, made: Tables, tables: Mapping[str, pa.Table]) -> bytes:
    report = None if net.report is None else _report_as_dict(net.report)
    slopes = net._slopes is not None
    if slopes:
        raise InputError(
            "A network with slopes is not written: they belong to an elevation model. Write it "
            "without, and call with_slopes again after reading."
        )
    record = {
        "format": _FORMAT,
        "columns": {name: one.column_names for name, one in tables.items()},
        "rows": {name: len(one) for name, one in tables.items()},
        "json": {"nodes": _mixed(made.nodes), "links": _mixed(made.links)},
        "profile": _profile_as_dict(net.profile),
        "facts": asdict(net.facts),
        "year": net.year,
        "history": list(net.history),
        "road_factor": net._road_factor,
        "report": report,
        "digest": made.digest,
    }
    return json.dumps(record, ensure_ascii=False).encode()


def _profile_as_dict(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "source": profile.source,
        "sinuosity": dict(profile.sinuosity),
        "road_kmh": dict(profile.road_kmh),
        "stated_share": profile.stated_share,
        "access": asdict(profile.access),
        "walk": None if profile.walk is None else asdict(profile.walk),
        "car": asdict(profile.car),
        "rail": {key: asdict(rule) for key, rule in profile.rail.items()},
        "terrain": {
            key: {"sinuosity": dict(rule.sinuosity), "speed": dict(rule.speed)}
            for key, rule in profile.terrain.items()
        },
    }


def _report_as_dict(report: Any) -> dict[str, Any]:
    return {
        one.name: dict(value) if isinstance(value, Mapping) else value
        for one in fields(report)
        for value in (getattr(report, one.name),)
    }


# -- Parquet, read ---------------------------------------------------------------------------


def read_parquet(path: str | os.PathLike[str]) -> Network:
    """Read a network; see :meth:`urbangeo.network.Network.read`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from urbangeo.network.ingest import IngestReport
    from urbangeo.network.network import Network
    from urbangeo.vector import local_path

    path = local_path(path, "network")
    try:
        metadata = pq.read_schema(path, memory_map=True).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}.") from error
    if _KEY not in metadata:
        raise InputError(
            f"{path} is a Parquet file, but no network: it lacks the metadata that Network.write "
            "gives. Make a network of its table with Network.from_tables, and write that."
        )
    few = ["mode", "class", "status"]  # of few values, so read as numbers
    try:
        file = pq.ParquetFile(path, memory_map=True, read_dictionary=few)
        record = json.loads(metadata[_KEY])
        if record["format"] != _FORMAT:
            raise InputError(
                f"{path} has format {record['format']}; this version reads format {_FORMAT}. "
                "Write it again with this version."
            )
        frames = {name: _frame(file, record, name) for name in _TABLES}
        for name, columns in record["json"].items():
            for column in columns:
                cells = frames[name][column]
                decoded = [None if pd.isna(one) else json.loads(one) for one in cells]
                frames[name][column] = pd.Series(decoded, dtype=object)
        tables = _tables(file, record, frames)
        report = record["report"]
        return Network(
            tables,
            _profile_of(record["profile"]),
            Facts(**{**record["facts"], "attribution": tuple(record["facts"]["attribution"])}),
            None if record["year"] is None else int(record["year"]),
            tuple(record["history"]),
            None if report is None else IngestReport(**report),
            _road_factor=float(record["road_factor"]),
        )
    except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged: {type(error).__name__}: {error}.") from error


def _groups(file: Any, record: Mapping[str, Any], table: str) -> list[int]:
    """Row groups of one of the tables: they stand in order, and no group holds two tables."""
    first = 0
    for name in _TABLES:
        rows = record["rows"][name]
        groups = []
        while rows > 0:
            rows -= file.metadata.row_group(first).num_rows
            groups.append(first)
            first += 1
        if rows < 0:
            raise ValueError(f"its row groups do not fit its {name}")
        if name == table:
            return groups
    raise KeyError(table)


def _frame(file: Any, record: Mapping[str, Any], table: str) -> pd.DataFrame:
    """Read the columns of one of the tables, all but its geometry."""
    columns = [one for one in record["columns"][table] if one not in ("table", "geometry")]
    groups = _groups(file, record, table)
    if not groups:
        return pd.DataFrame({one: [] for one in columns})
    frame: pd.DataFrame = file.read_row_groups(groups, columns=columns).to_pandas()
    if table != "links":
        few = frame.select_dtypes("category").columns
        frame = frame.astype(dict.fromkeys(few, "str"))
    return frame


def _tables(file: Any, record: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> Tables:
    links = frames["links"]
    tail, head = (links[one].to_numpy(dtype=np.int64) for one in _ENDS)
    n = len(frames["nodes"])
    if len(links) and not (0 <= min(tail.min(), head.min()) <= max(tail.max(), head.max()) < n):
        raise ValueError("a link leads to a node that it does not hold")
    own = tuple(one for one in LINK_COLUMNS if one not in ("from", "to"))

    def drawn() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        groups = _groups(file, record, "links")
        wkb = file.read_row_groups(groups, columns=["geometry"]).column("geometry")
        lines = Lines.of(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)))
        return lines.xy, lines.offsets

    return Tables(
        completed(frames["nodes"], NODE_COLUMNS),
        categorical(completed(links.drop(columns=list(_ENDS)), own)),
        tail,
        head,
        Lines.later(len(links), drawn),
        completed(frames["services"], SERVICE_COLUMNS),
        stored_digest=str(record["digest"]),
    )


def _profile_of(record: Mapping[str, Any]) -> Profile:
    return Profile(
        name=record["name"],
        title=record["title"],
        source=record["source"],
        sinuosity=MappingProxyType(record["sinuosity"]),
        road_kmh=MappingProxyType(record["road_kmh"]),
        stated_share=float(record["stated_share"]),
        access=AccessRule(**record["access"]),
        walk=None if record["walk"] is None else AccessRule(**record["walk"]),
        car=CarRule(**record["car"]),
        rail=MappingProxyType({key: BoardingRule(**one) for key, one in record["rail"].items()}),
        terrain=MappingProxyType(
            {
                key: TerrainRule(*(MappingProxyType(one[part]) for part in ("sinuosity", "speed")))
                for key, one in record["terrain"].items()
            }
        ),
    )
