"""Read geographic files of any origin, and let nothing doubtful through.

Files are local only, unless the caller says otherwise; their content must be what their name
says, because GDAL would follow a virtual file to anywhere. Text in an encoding that cannot be
told is refused, not guessed. What comes out is in EPSG:4326, valid, two-dimensional.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from urbangeo.crs import WGS84, check_lonlat, require_crs, to_wgs84
from urbangeo.encodings import dbf_encoding, text_encoding
from urbangeo.errors import CRSError, DatumWarning, InputError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

__all__ = [
    "SUFFIXES",
    "file_digest",
    "list_layers",
    "local_path",
    "read_table",
    "read_vector",
    "storable",
    "write_gpkg",
]

_TABLES = (".csv", ".txt", ".xlsx")
_PARQUET = (".parquet", ".geoparquet")
_GDAL = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".gdb")
SUFFIXES = (*_GDAL, *_PARQUET, *_TABLES)
"""Suffixes of the files that are read."""

_GEOMETRIES = {
    "point": {"Point", "MultiPoint"},
    "line": {"LineString", "MultiLineString", "LinearRing"},
    "polygon": {"Polygon", "MultiPolygon"},
}
_LON_COLUMNS = ("lon", "lng", "long", "longitude", "经度", "东经")
_LAT_COLUMNS = ("lat", "latitude", "纬度", "北纬")
# A prefix or suffix of the datum in a column's or file's name: gcj02_lon, lng_bd09.
_SHIFTED = re.compile(r"gcj[-_ ]?0?2|bd[-_ ]?0?9|火星坐标|百度坐标|高德坐标", re.IGNORECASE)
_CODE_COLUMN = re.compile(r"code|代码|编码|编号|^(id|pac|gb|xzqdm)$", re.IGNORECASE)
_SIDECARS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def local_path(
    path: str | os.PathLike[str],
    what: str = "file",
    *,
    must_exist: bool = True,
    folder: bool = True,
) -> Path:
    """Give a path as one of a local file, or refuse it.

    Parameters
    ----------
    path
        A path as the caller gave it.
    what
        What the file is, for the error.
    must_exist
        Refuse a path at which nothing stands.
    folder
        Take a folder too.

    Raises
    ------
    InputError
        If the path is a URL, a GDAL virtual path (``/vsi…``) or a virtual file (``.vrt``), if
        nothing stands there, or a folder that is not taken.
    """
    text = os.fspath(path)
    flat = text.strip().replace("\\", "/").casefold()
    # GDAL takes a drive letter and its own prefixes (GPKG:, ZIP:) before a colon; two letters or
    # more are never a drive.
    if "://" in flat or flat.startswith("/vsi") or re.match(r"[a-z][a-z0-9+.-]+:", flat):
        raise InputError(
            f"The {what} {text!r} is not the path of a local file. Only local files are read, "
            "and nothing is downloaded unasked: fetch it first and give its path."
        )
    if flat.endswith(".vrt"):
        raise InputError(
            f"The {what} {text!r} is a GDAL virtual file, which may lead anywhere. "
            "Give the file that it refers to."
        )
    result = Path(text).expanduser()
    if must_exist and not result.exists():
        raise InputError(f"The {what} {text!r} does not exist. Check the path and its spelling.")
    if result.is_dir() and not folder:
        raise InputError(f"The {what} {text!r} is a folder. Name a file in it.")
    return result


def read_vector(
    path: str | os.PathLike[str],
    what: str = "file",
    *,
    layer: str | None = None,
    geometry: Literal["point", "line", "polygon"] | None = None,
    unique: str | Sequence[str] = (),
    crs: Any = None,
    encoding: str | None = None,
    text: bool = False,
    allow_remote: bool = False,
) -> gpd.GeoDataFrame:
    """Read a geographic file, or a table of points, and check it.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON, GeoParquet, FlatGeobuf, KML or File Geodatabase; or a CSV
        or XLSX table with a longitude and a latitude column (``lon``/``lat``, ``lng``,
        ``longitude``/``latitude``, 经度/纬度; degrees on WGS 84).
    what
        What the file is, for errors: ``"places"``, ``"boundary file"``.
    layer
        Layer of a file, or sheet of a workbook, that holds several.
    geometry
        The kind of geometry that every row must have.
    unique
        Columns that must not repeat, each by itself.
    crs
        The CRS of a file that states none. A table may then also name its columns ``x`` and
        ``y``. A file that states another one is refused.
    encoding
        Encoding of the text, where the caller knows it; by default it is told from the bytes
        (UTF-8 or GB18030).
    text
        Leave a table's columns, other than longitude, latitude and ``precision_m``, as text.
    allow_remote
        Let GDAL open whatever ``path`` says, also over the network.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, two-dimensional, every geometry valid and not empty, rows in the file's order.

    Raises
    ------
    InputError
        If the path is not that of a local file, or the content is not what the suffix says.
    CRSError
        If there is no CRS, a different one than ``crs``, coordinates out of range, or longitude
        and latitude are swapped.
    TableError
        If a geometry is missing, invalid or of the wrong kind, a value of ``unique`` repeats,
        there is no row, or the text's encoding cannot be told; every finding names its row,
        counted from 1.

    Warns
    -----
    DatumWarning
        If the file says that it is in GCJ-02 or BD-09, or its datum has no known shift.
    """
    if allow_remote:
        name = os.fspath(path)
        frame = _read_gdal(name, layer, encoding or "utf-8")
    else:
        local = local_path(path, what)
        name = str(local)
        suffix = local.suffix.casefold()
        _check_content(local, what)
        if suffix in _TABLES:
            frame = _points(local, what, layer, crs, encoding, text=text)
            crs = None
        elif suffix in _PARQUET:
            frame = _read_parquet(local, what)
        else:
            layer = _choose_layer(local, what, layer)
            used = encoding or _encoding_of(local)
            frame = _read_gdal(name, layer, used)
    subject = f"The {what} {name}"
    if frame.empty:
        raise TableError(name, [f"the {what} holds no row"])
    frame = _with_crs(frame, crs, subject)
    _check_geometry(frame, name, geometry)
    _warn_shifted(frame, name, subject)
    frame = to_wgs84(frame, subject)
    bounds = frame.geometry.bounds
    # A shape's first corner stands for it: a swap or a slip in units moves all corners.
    check_lonlat(bounds["minx"], bounds["miny"], subject)
    check_lonlat(bounds["maxx"], bounds["maxy"], subject)
    _check_unique(frame, [unique] if isinstance(unique, str) else unique, name)
    return frame.reset_index(drop=True)


def read_table(
    path: str | os.PathLike[str], *, encoding: str | None = None, sheet: str | None = None
) -> pd.DataFrame:
    """Read a CSV or XLSX table as text; blank cells are empty strings.

    Parameters
    ----------
    path
        A local file.
    encoding
        Encoding of a CSV, where the caller knows it; by default it is told from the bytes.
    sheet
        Sheet of a workbook; by default the first.

    Raises
    ------
    InputError
        If there is no such file, or it is not a table.
    TableError
        If the encoding cannot be told, or rows and header do not fit together.
    """
    import csv
    import io

    import pandas as pd

    local = local_path(path, "table")
    if local.suffix.casefold() == ".xlsx":
        try:
            frame = pd.read_excel(
                local, sheet_name=0 if sheet is None else sheet, dtype=str, keep_default_na=False
            )
        except (ValueError, KeyError, OSError) as error:
            raise TableError(local, [f"not a readable workbook: {error}"]) from error
    else:
        raw = local.read_bytes()
        used = encoding or text_encoding([raw], local)
        try:
            content = raw.decode(used)
            content = content.removeprefix("\ufeff")
            comma = max(",\t;", key=content.partition("\n")[0].count)
            rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=comma))
        except (UnicodeDecodeError, LookupError, csv.Error) as error:
            raise TableError(local, [f"not a CSV table in {used}: {error}"]) from error
        while rows and not any(rows[-1]):
            rows.pop()
        if not rows:
            raise TableError(local, ["the table is empty; expected a header and rows"])
        header = rows[0]
        findings = [
            f"row {number}: expected {len(header)} cells as in the header, found {len(row)}"
            for number, row in enumerate(rows[1:], start=1)
            if len(row) != len(header)
        ]
        if findings:
            raise TableError(local, findings)
        frame = pd.DataFrame(rows[1:], columns=header, dtype=str)
    filled = (frame.fillna("") != "").any(axis=1)
    frame = frame.iloc[: int(filled.to_numpy().nonzero()[0].max(initial=-1)) + 1].fillna("")
    frame.columns = [str(column).strip() for column in frame.columns]
    repeated = sorted({column for column in frame.columns if list(frame.columns).count(column) > 1})
    if repeated:
        raise TableError(local, [f"column {column!r} stands twice" for column in repeated])
    return frame


def list_layers(path: str | os.PathLike[str]) -> list[str]:
    """Name the layers of a local geographic file; a table has none."""
    local = local_path(path)
    if local.suffix.casefold() not in _GDAL:
        return []
    _check_content(local, "file")
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        found = pyogrio.list_layers(local)
    except DataSourceError as error:
        raise InputError(f"The file {local} cannot be read: {error}") from error
    return [str(name) for name, kind in found if kind is not None]


def file_digest(path: str | os.PathLike[str]) -> str:
    """Give the SHA-256 of a file's content, as 64 hexadecimal digits.

    For a shapefile its parts, and for a folder its files, are taken together in order of name.
    """
    local = Path(path)
    if local.is_dir():
        parts = sorted(part for part in local.rglob("*") if part.is_file())
    elif local.suffix.casefold() == ".shp":
        parts = sorted(
            part
            for part in local.parent.iterdir()
            if part.stem == local.stem and part.suffix.casefold() in _SIDECARS
        )
    else:
        parts = [local]
    stamps = tuple((part, part.stat().st_mtime_ns, part.stat().st_size) for part in parts)
    return _digest(stamps)


@lru_cache(maxsize=64)
def _digest(stamps: tuple[tuple[Path, int, int], ...]) -> str:
    total = hashlib.sha256()
    for part, _, _ in stamps:
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                total.update(block)
    return total.hexdigest()


def write_gpkg(
    path: str | os.PathLike[str],
    layers: Mapping[str, gpd.GeoDataFrame],
    tables: Mapping[str, pd.DataFrame],
) -> None:
    """Write a GeoPackage of geographic layers and plain tables; the same bytes on every run.

    Columns get names that a GeoPackage can hold: text, different even in capitals, none of its own
    (``fid``, ``geom``).
    """
    import pyogrio

    # Without a fixed date GDAL writes the hour into the file, and no two runs would be equal.
    previous = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        for name, frame in layers.items():
            storable(frame).to_file(path, layer=name, driver="GPKG", engine="pyogrio", index=False)
        for name, table in tables.items():
            pyogrio.write_dataframe(table, path, layer=name, driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": previous})


def storable(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give columns names that a GIS file can hold: text, different even in capitals, not its own.

    GeoPackage keeps ``fid`` and ``geom`` for itself and does not tell ``Name`` from ``name``.
    """
    taken = {"fid", "geom", "geometry"}
    names: dict[object, str] = {}
    # ours first, so that a clash renames the caller's
    for column in reversed(list(frame.columns)):
        if column == frame.geometry.name:
            continue
        name = str(column)
        while name.lower() in taken:
            name += "_given"
        taken.add(name.lower())
        names[column] = name
    return frame.rename(columns=names)


# Files --------------------------------------------------------------------------------------------


def _encoding_of(path: Path) -> str:
    return dbf_encoding(path) if path.suffix.casefold() == ".shp" else "utf-8"


def _check_content(path: Path, what: str) -> None:
    """Refuse a file whose content is not what its suffix says."""
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise InputError(
            f"The {what} {path} has the suffix {path.suffix!r}; expected one of "
            f"{', '.join(SUFFIXES)}. Convert it, for example to GeoPackage; unpack an archive."
        )
    if suffix == ".gdb":
        if not path.is_dir() or not any(path.glob("*.gdbtable")):
            raise InputError(f"The {what} {path} is not a File Geodatabase: it has no .gdbtable.")
        return
    if path.is_dir():
        raise InputError(f"The {what} {path} is a folder. Name a file in it.")
    with path.open("rb") as stream:
        head = stream.read(1024)
    body = head.removeprefix(codecs.BOM_UTF8).lstrip()
    right = {
        ".gpkg": head.startswith(b"SQLite format 3\0"),
        ".shp": head.startswith(b"\0\0\x27\x0a"),
        ".geojson": body.startswith(b"{"),
        ".json": body.startswith(b"{"),
        ".fgb": head.startswith(b"fgb"),
        ".kml": b"<kml" in head,
        ".parquet": head.startswith(b"PAR1"),
        ".geoparquet": head.startswith(b"PAR1"),
        ".xlsx": head.startswith(b"PK"),
    }.get(suffix, True)
    if not right:
        raise InputError(
            f"The {what} {path} is not what its suffix {path.suffix!r} says; it begins with "
            f"{head[:16]!r}. Check that it was saved whole and in that format."
        )


def _choose_layer(path: Path, what: str, layer: str | None) -> str:
    names = list_layers(path)
    if layer is None and len(names) == 1:
        return names[0]
    if layer is not None and layer in names:
        return layer
    asked = "name one of them" if layer is None else f"there is no layer {layer!r}"
    raise InputError(
        f"The {what} {path} holds the layers {', '.join(names) or '(none with geometry)'}; {asked} "
        "(layer=…, or file.gpkg|layername=… for boundaries)."
    )


def _read_gdal(name: str, layer: str | None, encoding: str) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        # Only shapefiles leave the encoding open; for the others UTF-8 is part of the format.
        # on_invalid: a ring that cannot be built becomes None, which is refused with its row.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Non closed ring", category=RuntimeWarning)
            frame = pyogrio.read_dataframe(
                name, layer=layer, encoding=encoding, force_2d=True, on_invalid="ignore"
            )
    except UnicodeDecodeError as error:
        raise TableError(
            name,
            [f"a text value is not {encoding}, or a field cuts a character in two: {error}"],
        ) from error
    except DataSourceError as error:
        raise InputError(f"The file {name} cannot be read: {error}") from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise TableError(name, ["the file has attributes but no geometry"])
    return frame


def _read_parquet(path: Path, what: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    try:
        frame = gpd.read_parquet(path)
    except ImportError as error:
        raise InputError(
            f"The {what} {path} is GeoParquet, which needs pyarrow. Install it: pip install pyarrow"
        ) from error
    except (ValueError, OSError) as error:
        raise InputError(f"The {what} {path} cannot be read as GeoParquet: {error}") from error
    return frame.set_geometry(frame.geometry.force_2d())


def _points(
    path: Path, what: str, sheet: str | None, crs: Any, encoding: str | None, *, text: bool
) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pandas as pd

    table = read_table(path, encoding=encoding, sheet=sheet)
    lon_column, lat_column = _coordinate_columns(table, path, planar=crs is not None)
    findings: list[str] = []
    numbers: list[pd.Series[float]] = []
    for column in (lon_column, lat_column):
        values = pd.to_numeric(table[column].str.strip(), errors="coerce").astype(float)
        findings += [
            f"row {row}, column {column!r}: expected a number, found {cell!r}"
            for row, (cell, value) in enumerate(zip(table[column], values, strict=True), start=1)
            if not abs(value) < float("inf")
        ]
        numbers.append(values)
    if not text:
        table = _with_numbers(table)
    elif "precision_m" in table.columns:
        precision = pd.to_numeric(table["precision_m"].str.strip(), errors="coerce")
        findings += [
            f"row {row}, column 'precision_m': expected metres, found {cell!r}"
            for row, (cell, value) in enumerate(
                zip(table["precision_m"], precision, strict=True), start=1
            )
            if not value > 0
        ]
        table["precision_m"] = precision
    if findings:
        raise TableError(path, findings)
    table[lon_column], table[lat_column] = numbers
    if crs is None:
        check_lonlat(numbers[0], numbers[1], f"The {what} {path}")
    return gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(*numbers), crs=WGS84 if crs is None else crs
    )


def _coordinate_columns(table: pd.DataFrame, path: Path, *, planar: bool) -> tuple[str, str]:
    names = [str(column) for column in table.columns]

    def search(accepted: tuple[str, ...]) -> str | None:
        plain = {_SHIFTED.sub("", name).strip("_- ()（）").casefold(): name for name in names[::-1]}
        return next((plain[name] for name in accepted if name in plain), None)

    lon = search((*_LON_COLUMNS, "x") if planar else _LON_COLUMNS)
    lat = search((*_LAT_COLUMNS, "y") if planar else _LAT_COLUMNS)
    if lon is None or lat is None:
        finding = (
            f"no longitude and latitude columns; found: {', '.join(names)}; expected "
            "lon and lat, or 经度 and 纬度, in degrees on WGS 84; for x and y give crs="
        )
        raise TableError(path, [finding])
    return lon, lat


def _with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of plain numbers into numbers; codes and identifiers stay text."""
    import pandas as pd

    result = table.copy()
    for column in table.columns:
        cells = table[column].str.strip()
        filled = cells != ""
        values = pd.to_numeric(cells.where(filled), errors="coerce")
        leading_zero = cells.str.match(r"^0\d").any()
        if (
            filled.any()
            and bool(values[filled].notna().all())
            and not leading_zero
            and not _CODE_COLUMN.search(str(column))
        ):
            result[column] = values
    return result


# Checks -------------------------------------------------------------------------------------------


def _with_crs(frame: gpd.GeoDataFrame, crs: Any, subject: str) -> gpd.GeoDataFrame:
    if crs is None:
        require_crs(frame, subject)
        return frame
    import pyproj

    try:
        given = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise CRSError(
            f"crs={crs!r} is not a coordinate reference system; give one such as 'EPSG:4490'."
        ) from error
    if frame.crs is None:
        return frame.set_crs(given)
    stated = pyproj.CRS.from_user_input(frame.crs)
    if not stated.equals(given, ignore_axis_order=True):
        raise CRSError(
            f"{subject} states the CRS {stated.name}, but crs={given.name} was given. "
            "Leave crs out to trust the file."
        )
    return frame


def _check_geometry(
    frame: gpd.GeoDataFrame, name: str, kind: Literal["point", "line", "polygon"] | None
) -> None:
    import shapely

    shapes = frame.geometry.array
    missing, empty = frame.geometry.isna().to_numpy(), frame.geometry.is_empty.to_numpy()
    valid = frame.geometry.is_valid.to_numpy()
    findings: list[str] = []
    for row in range(len(frame)):
        where = f"row {row + 1}"
        if missing[row]:
            findings.append(f"{where}: no geometry")
        elif empty[row]:
            findings.append(f"{where}: the geometry is empty")
        elif not valid[row]:
            reason = shapely.is_valid_reason(shapes[row])
            findings.append(
                f"{where}: the geometry is invalid ({reason}); repair it with .make_valid(), "
                "or 'Fix geometries' in QGIS"
            )
        elif kind is not None and shapes[row].geom_type not in _GEOMETRIES[kind]:
            findings.append(f"{where}: expected a {kind}, found a {shapes[row].geom_type}")
    if findings:
        raise TableError(name, findings)


def _check_unique(frame: gpd.GeoDataFrame, columns: Sequence[str], name: str) -> None:
    findings: list[str] = []
    for column in columns:
        if column not in frame.columns:
            have = ", ".join(str(other) for other in frame.columns if other != "geometry")
            findings.append(f"column {column!r} is missing; found: {have}")
            continue
        rows_of: dict[object, list[int]] = {}
        for row, value in enumerate(frame[column], start=1):
            rows_of.setdefault(value, []).append(row)
        findings += [
            f"rows {', '.join(map(str, rows))}: {column} {value!r} repeats"
            for value, rows in rows_of.items()
            if len(rows) > 1
        ]
    if findings:
        raise TableError(name, findings)


def _warn_shifted(frame: gpd.GeoDataFrame, name: str, subject: str) -> None:
    hints: list[tuple[str, Callable[[], object]]] = [
        ("its name", lambda: _SHIFTED.search(Path(name).name)),
        ("its CRS", lambda: frame.crs is not None and _SHIFTED.search(str(frame.crs.name))),
        ("a column's name", lambda: any(_SHIFTED.search(str(c)) for c in frame.columns)),
    ]
    for hint, says in hints:
        if says():
            warnings.warn(
                f"{subject} says by {hint} that it is in GCJ-02 or BD-09, the shifted datums of "
                "Chinese web maps. It is read as it is, 300 m to 1.2 km off; convert it to WGS 84.",
                DatumWarning,
                stacklevel=3,
            )
            return
