"""Write a figure as PDF, SVG or PNG: the same bytes every time, with the font inside.

Two things are done that matplotlib does not do by itself. The font is an OpenType font with
PostScript outlines; as Type 42 matplotlib would put these, unchanged, where a PDF promises
TrueType, which some readers and printers refuse, so its glyphs are turned into TrueType outlines
first. And an SVG whose text stays text names its font without holding it, so the glyphs that are
used are put into the file.
"""

from __future__ import annotations

import base64
import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import newTable
from matplotlib.backends import _backend_pdf_ps
from matplotlib.figure import Figure

from urbangeo._version import __version__
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.maps.style import FONT_FAMILY, missing_glyphs, settings, visible_texts

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

__all__ = ["FORMATS", "MapFigure", "save"]

FORMATS = ("pdf", "svg", "png")

_SCREEN_DPI = 96

_LARGEST_ERROR = 0.0005
"""How far a converted outline may lie from the original, as a share of the type's size."""

# What a TrueType font must state and what glyphs without instructions or components leave at 0;
# points and contours are counted when the font is written.
_EMPTY_LIMITS = (
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxComponentElements",
    "maxPoints",
    "maxContours",
    "maxCompositePoints",
    "maxCompositeContours",
    "maxComponentDepth",
)

_PATCHING = Lock()


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: float = 300) -> Path:
    """Write a figure; the suffix says as what.

    The same figure gives the same bytes: dates are left out, identifiers come from a fixed salt.
    Fonts are embedded, and text stays text in PDF and SVG. What stood at ``path`` is replaced
    only when the new file is whole.

    Parameters
    ----------
    figure
        From :func:`urbangeo.maps.draw` or any other.
    path
        Ends in ``.pdf``, ``.svg`` or ``.png``.
    dpi
        Dots per inch of a PNG.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the format or resolution cannot be used, or the font lacks a character.
    OutputError
        If the file cannot be written.
    """
    target = Path(path)
    kind = target.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InputError(
            f"A figure cannot be written as {target.name!r}; end its name in "
            f"{', '.join('.' + known for known in FORMATS)}."
        )
    if not 20 <= dpi <= 2400:
        raise InputError(f"dpi is {dpi}; between 20 and 2400 is expected.")
    lacking = missing_glyphs(figure)
    if lacking:
        found = "; ".join(f"{letter!r} in {texts[0]!r}" for letter, texts in lacking.items())
        raise InputError(
            f"The font {FONT_FAMILY} cannot draw {found}. Write it with other characters."
        )
    content = _render(figure, kind, dpi)
    with writing(target) as draft:
        draft.write_bytes(content)
    return target


class MapFigure(Figure):
    """A figure that shows itself in a notebook.

    IPython draws figures that pyplot made; these are not, so that no global state is touched.
    """

    def _repr_png_(self) -> bytes:
        """Draw for the screen; called by IPython."""
        return _render(self, "png", _SCREEN_DPI)


def _render(figure: Figure, kind: str, dpi: float) -> bytes:
    creator = f"urbangeo {__version__}"
    metadata: dict[str, dict[str, Any]] = {
        "pdf": {
            "Title": _title(figure),
            "Creator": creator,
            "Producer": None,
            "CreationDate": None,
        },
        "svg": {"Title": _title(figure), "Creator": creator, "Date": None},
        "png": {"Software": None},
    }
    stream = io.BytesIO()
    with settings(), warnings.catch_warnings(), _truetype_subsets():
        warnings.filterwarnings("error", message="Glyph .* missing from font")
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata[kind])
    content = stream.getvalue()
    return _with_fonts(content, figure) if kind == "svg" else content


def _title(figure: Figure) -> str:
    texts = {artist.get_gid(): artist.get_text() for artist in visible_texts(figure)}
    return " ".join(texts[part] for part in ("heading", "title") if texts.get(part))


@contextmanager
def _truetype_subsets() -> Iterator[None]:
    """Let matplotlib's PDF writer embed TrueType outlines while this lasts."""
    original = _backend_pdf_ps.get_glyphs_subset

    @contextmanager
    def converted(fontfile: Any, glyphs: Any) -> Iterator[Any]:
        with original(fontfile, glyphs) as found:
            if "CFF " in found.font:
                _to_truetype(found.font)
            yield found

    with _PATCHING:
        _backend_pdf_ps.get_glyphs_subset = converted
        try:
            yield
        finally:
            _backend_pdf_ps.get_glyphs_subset = original


def _to_truetype(font: TTFont) -> None:
    """Turn cubic PostScript outlines into quadratic TrueType outlines, in place."""
    order = font.getGlyphOrder()
    outlines = font.getGlyphSet()
    error = _LARGEST_ERROR * font["head"].unitsPerEm
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder = order
    glyf.glyphs = glyphs
    for name in order:
        glyphs[name].recalcBounds(glyf)
        advance = font["hmtx"][name][0]
        font["hmtx"][name] = (advance, getattr(glyphs[name], "xMin", 0))
    for table in ("CFF ", "VORG"):
        if table in font:
            del font[table]
    font["maxp"] = maxp = newTable("maxp")
    maxp.tableVersion = 0x00010000
    for name in _EMPTY_LIMITS:
        setattr(maxp, name, 0)
    maxp.maxZones = 1
    maxp.numGlyphs = len(order)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def _with_fonts(content: bytes, figure: Figure) -> bytes:
    """Put the glyphs that are used into an SVG, one font for each weight."""
    used: dict[tuple[str, int], set[str]] = {}
    for artist in visible_texts(figure):
        prop = artist.get_fontproperties()
        path = str(prop.get_file() or "")
        # A text with a path effect has become outlines.
        if path and not artist.get_path_effects():
            used.setdefault((path, int(prop.get_weight())), set()).update(artist.get_text())
    rules = []
    for (path, weight), characters in sorted(used.items()):
        data = base64.b64encode(_woff(path, "".join(sorted(characters)))).decode("ascii")
        rules.append(
            f"@font-face{{font-family:'{FONT_FAMILY}';font-weight:{weight};"
            f"src:url(data:font/woff;base64,{data}) format('woff')}}"
        )
    style = f'<style type="text/css">{"".join(rules)}</style>\n  '.encode("ascii")
    changed, count = re.subn(rb"(<defs>\s*)", lambda found: found[1] + style, content, count=1)
    if count != 1:
        raise InputError("The SVG that matplotlib wrote has no <defs>; the font has no place.")
    return changed


def _woff(path: str, characters: str) -> bytes:
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx"]
    stream = io.BytesIO()
    with subset.load_font(path, options) as font:
        chosen = subset.Subsetter(options)
        chosen.populate(text=characters)
        chosen.subset(font)
        subset.save_font(font, stream, options)
    return stream.getvalue()
