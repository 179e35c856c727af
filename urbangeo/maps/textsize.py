"""How wide and high a text is written, without drawing it.

A line's width is the sum of its characters' advances and kerning, which grow with the size of the
type; so a line is laid out once, at a large size, and scaled. The height is matplotlib's own for a
text of as many lines, which hangs on the font, not on what is written.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.text import Text

from urbangeo.maps.paper import MM_PER_INCH
from urbangeo.maps.style import Weight, font, font_file, settings

if TYPE_CHECKING:
    from urbangeo.maps.paper import FloatArray

__all__ = ["LINE_SPACING", "measure"]

LINE_SPACING = 1.05
"""Distance of two lines of a name, in heights of a line."""

_EM = 1000
"""Pixels to the em at which a line is laid out: rounding to 1/64 pixel does not matter."""
_TALL = "国|gjpÅ"
"""Characters that reach as far up and down as any of the font."""


def measure(_figure: Figure, text: str, size: float, weight: Weight = "regular") -> FloatArray:
    """Measure a text as it will be drawn.

    Parameters
    ----------
    size
        Of the type, points.

    Returns
    -------
    numpy.ndarray
        Width and height, millimetres. The width is matplotlib's to 0.1 %.
    """
    lines = text.split("\n")
    em = size / 72.0 * MM_PER_INCH
    # FreeType takes sizes of whole 64ths of a point.
    drawn = int(size * 64) / 64 / size
    width = max(_width(line, weight) for line in lines) * drawn
    return np.array([width * em, _height(len(lines), weight) * em])


@cache
def _face(weight: Weight) -> FT2Font:
    face = FT2Font(str(font_file(weight)))
    face.set_size(_EM, 72)
    return face


@cache
def _width(line: str, weight: Weight) -> float:
    """Width of a line in ems."""
    if not line:
        return 0.0
    face = _face(weight)
    with warnings.catch_warnings():
        # What the font lacks is told, with the text it stands in, when the figure is saved.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        face.set_text(line, 0.0, flags=LoadFlags.NO_HINTING)
    return float(face.get_width_height()[0]) / 64.0 / _EM


@cache
def _height(lines: int, weight: Weight) -> float:
    """Height of a text of so many lines in ems."""
    with settings():
        figure = Figure(dpi=72)
        canvas = FigureCanvasAgg(figure)
        text = Text(
            0,
            0,
            "\n".join([_TALL] * lines),
            fontproperties=font(100.0, weight),
            linespacing=LINE_SPACING,
        )
        text.set_figure(figure)
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        return float(text.get_window_extent(renderer=renderer).height) / 100.0
