"""One style sheet: the font, sizes, colours and lines of every figure.

Sizes of type are points, everything else on the page is millimetres, because a printed sheet is
measured in them. Colours were chosen so that neighbours in a legend differ in lightness by at
least a tenth of the scale from black to white: what is read in colour is read in grey too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from urbangeo.errors import InputError

__all__ = [
    "BANDS",
    "COLOURS",
    "FONT_FAMILY",
    "LINES",
    "POINTS_PER_MM",
    "SIZES",
    "Line",
    "Weight",
    "font",
    "font_file",
    "missing_glyphs",
    "points",
    "settings",
    "visible_texts",
]

Weight = Literal["regular", "medium", "bold"]

FONT_FAMILY = "Noto Sans CJK SC"
"""Family of all type, from the package ``mpl-font`` (SIL Open Font License 1.1)."""

_FONT_FILES: dict[Weight, str] = {
    "regular": "NotoSansCJKsc-Regular.otf",
    "medium": "NotoSansCJKsc-Medium.otf",
    "bold": "NotoSansCJKsc-Bold.otf",
}
_WEIGHT_NUMBERS: dict[Weight, int] = {"regular": 400, "medium": 500, "bold": 700}

POINTS_PER_MM = 72.0 / 25.4

SIZES = {
    "title": 19.0,
    "heading": 11.0,
    "number": 14.0,
    "inset_title": 8.0,
    "north": 7.5,
    "legend_title": 10.0,
    "legend": 7.6,
    "scale": 6.8,
    "list": 6.6,
    "note": 5.6,
    "member": 7.0,
    "member_inset": 7.6,
    "neighbour": 5.4,
    "region": 11.0,
    "centre": 9.5,
    "seat": 6.8,
    "town": 5.2,
    "shield": 4.6,
}
"""Sizes of type, points."""

COLOURS = {
    "ink": "#1A1A1A",
    "soft_ink": "#4D4D4D",
    "faint_ink": "#8C8C8C",
    "paper": "#FFFFFF",
    "ground": "#E9EDEF",
    "land": "#F8F8F6",
    "member": "#FCEBCB",
    "extent": "#B3202A",
    "province": "#2B2B2B",
    "province_band": "#C9C2D6",
    "prefecture": "#4F4F4F",
    "county": "#8A8A8A",
    "expressway": "#D55E00",
    "expressway_case": "#5A2600",
    "road": "#A9713F",
    "road_minor": "#C2A079",
    "rail": "#1A1A1A",
    "hsr": "#3B1F6B",
    "intercity": "#7B4FA3",
    "limit": "#0B3C6F",
    "centre": "#B3202A",
    "town": "#1A1A1A",
}

BANDS = ("#4F8FBF", "#8FBFDD", "#C5DFEE", "#E3EFF6", "#F1F6FA")
"""Fills of travel-time bands, near to far: one hue, dark to light (safe in grey)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as drawn: width in millimetres, dashes in millimetres on and off.

    ``case`` is the width that a darker casing adds in all, ``gap`` the colour of the dashes' gaps.
    """

    colour: str
    width: float
    dashes: tuple[float, ...] = ()
    case: float = 0.0
    case_colour: str = ""
    gap: str = ""


LINES = {
    "province": Line(COLOURS["province"], 0.42, (3.4, 0.9, 0.5, 0.9)),
    "province_band": Line(COLOURS["province_band"], 2.2),
    "beyond": Line(COLOURS["faint_ink"], 0.22, (3.4, 0.9, 0.5, 0.9)),
    "extent": Line(COLOURS["extent"], 0.85),
    "prefecture": Line(COLOURS["prefecture"], 0.32, (1.9, 0.7, 0.35, 0.7)),
    "county": Line(COLOURS["county"], 0.13),
    # Among roads a thin grey line would be taken for one.
    "county_among_roads": Line(COLOURS["prefecture"], 0.13, (1.0, 0.7)),
    "expressway": Line(COLOURS["expressway"], 0.50, case=0.24, case_colour="#5A2600"),
    "national": Line(COLOURS["road"], 0.32),
    "provincial": Line(COLOURS["road_minor"], 0.22),
    "hsr": Line(COLOURS["hsr"], 0.44, (1.6, 1.1), case=0.20, case_colour="#3B1F6B", gap="#FFFFFF"),
    "intercity": Line(
        COLOURS["intercity"], 0.40, (0.7, 0.5), case=0.18, case_colour="#7B4FA3", gap="#FFFFFF"
    ),
    "rail": Line(
        COLOURS["rail"], 0.26, (0.9, 0.9), case=0.14, case_colour="#1A1A1A", gap="#FFFFFF"
    ),
    "limit": Line(COLOURS["limit"], 0.55),
    "leader": Line(COLOURS["ink"], 0.15),
    "neatline": Line(COLOURS["ink"], 0.65),
    "frame": Line(COLOURS["ink"], 0.18),
}
"""Every line of the figures by what it stands for."""

_SETTINGS: dict[str, Any] = {
    "axes.unicode_minus": False,
    "font.family": [FONT_FAMILY],
    "pdf.compression": 6,
    "pdf.fonttype": 42,
    "pdf.use14corefonts": False,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "urbangeo",
    "path.simplify": True,
    "path.simplify_threshold": 1 / 9,
    "text.hinting": "none",
    "text.parse_math": False,
    "text.usetex": False,
}


def points(millimetres: float) -> float:
    """Give a length on paper in points."""
    return millimetres * POINTS_PER_MM


@cache
def font_file(weight: Weight = "regular") -> Path:
    """Find the file of a weight of the font, without importing the package that holds it.

    ``import mpl_font`` would import pyplot and change global settings.

    Raises
    ------
    InputError
        If the package or the file is missing, or the weight unknown.
    """
    if weight not in _FONT_FILES:
        raise InputError(f"Unknown font weight {weight!r}; known: {', '.join(_FONT_FILES)}.")
    spec = find_spec("mpl_font")
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        path = Path(place) / "fonts" / "noto" / _FONT_FILES[weight]
        if path.is_file():
            return path
    raise InputError(
        f"The font {FONT_FAMILY} ({_FONT_FILES[weight]}) was expected in the package mpl-font and "
        f"not found{' in ' + places[0] if places else ''}. Install it: pip install mpl-font."
    )


def font(size: float | str, weight: Weight = "regular") -> FontProperties:
    """Give the font in a size, for ``fontproperties=`` of any text.

    The file is named outright, so that a font of the same name on the machine changes nothing.

    Parameters
    ----------
    size
        Points, or a key of :data:`SIZES`.
    weight
        ``regular``, ``medium`` or ``bold``.
    """
    return FontProperties(
        family=FONT_FAMILY,
        size=SIZES[size] if isinstance(size, str) else size,
        weight=_WEIGHT_NUMBERS[weight],
        fname=str(font_file(weight)),
    )


@contextmanager
def settings() -> Iterator[None]:
    """Draw or save under this style sheet; what the user had set comes back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", _SETTINGS))
        yield


@cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())


def visible_texts(figure: Figure) -> Iterable[Text]:
    """Give every text of a figure that is drawn."""
    for artist in figure.findobj(Text):
        if isinstance(artist, Text) and artist.get_visible() and artist.get_text():
            yield artist


def missing_glyphs(figure: Figure) -> dict[str, list[str]]:
    """Find the characters of a figure that its font cannot draw.

    Returns
    -------
    dict
        Texts by missing character; empty when all can be drawn.
    """
    found: dict[str, list[str]] = {}
    for artist in visible_texts(figure):
        path = artist.get_fontproperties().get_file() or str(font_file())
        known = _characters(path)
        for character in dict.fromkeys(artist.get_text()):
            if character != "\n" and ord(character) not in known:
                found.setdefault(character, []).append(artist.get_text())
    return found
