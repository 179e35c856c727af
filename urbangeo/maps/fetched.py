"""Rows of a layer, with what the note must say of them, and which of them a filter keeps."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from urbangeo.errors import UnknownNameError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.maps.records import LayerRecord

__all__ = [
    "ALONG",
    "Fetched",
    "Remark",
    "attribution",
    "cell_text",
    "chosen",
    "matches",
    "name_columns",
    "name_of",
]


ALONG = "along"
"""As ``sort`` of a layer: members in their order along the line that fits them best."""


@dataclass(frozen=True)
class Remark:
    """A sentence for a figure's note, in Chinese and English."""

    zh: str
    en: str

    def told(self, lang: str) -> str:
        """Give it in a figure's language; a figure in both has its note in Chinese."""
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True)
class Fetched:
    """A layer's rows, and what the note says of them.

    Attributes
    ----------
    frame
        EPSG:4326; rows without geometry included.
    total
        Rows that the filter left.
    schematic
        Geometry was made from words.
    sources, attributions
        For the note.
    year, digest
        Of the network, where there is one.
    """

    frame: gpd.GeoDataFrame
    total: int
    schematic: bool = False
    sources: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    notes: tuple[Remark, ...] = ()
    year: int | None = None
    digest: str = ""


def chosen(frame: pd.DataFrame, layer: LayerRecord) -> Any:
    """Give the rows that a layer's filters keep.

    Raises
    ------
    UnknownNameError
        If a column is not there.
    """
    keep = None
    for columns, wanted in ((layer.where, True), (layer.where_not, False)):
        for column, values in columns.items():
            if column not in frame.columns:
                known = [name for name in frame.columns if name != "geometry"]
                raise UnknownNameError(f"field of {layer.source!r}", column, known)
            cells = frame[column].astype("string").fillna("")
            hit = cells.map(lambda cell, values=values: matches(cell, values)).astype(bool)
            hit = hit if wanted else ~hit
            keep = hit if keep is None else keep & hit
    return frame if keep is None else frame[keep]


def matches(cell: str, values: tuple[str, ...]) -> bool:
    """Tell whether a cell is one of some values or patterns."""
    return any(fnmatchcase(cell, value) for value in values)


def attribution(frame: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Give the words that a table's provenance asks for, for the note."""
    words = str(frame.attrs.get("provenance", {}).get("attribution", ""))
    return (words,) if words else ()


def name_columns(text: str) -> list[str]:
    """Give the columns that a name is made of: the only one, or those in braces."""
    if "{" not in text:
        return [text]
    return [column for _, column, *_ in string.Formatter().parse(text) if column]


def name_of(row: Mapping[Any, Any], text: str) -> str:
    """Give the name of a row: the cell of a column, or a text with cells put into its braces."""
    if "{" not in text:
        return cell_text(row.get(text, ""))
    return text.format_map(
        {column: cell_text(row.get(column, "")) for column in name_columns(text)}
    )


def cell_text(cell: Any) -> str:
    """Give a cell as it is written on a map."""
    import pandas as pd

    if cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
