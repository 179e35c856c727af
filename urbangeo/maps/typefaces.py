"""Parts of a font: the glyphs that a figure uses, as a TrueType font.

The type of the figures has PostScript outlines, and a PDF promises TrueType ones. So each glyph
that is used is turned into quadratic outlines, once for all figures of a process, and a part of
the font is put together from such glyphs. What a part holds depends on what was asked for only,
not on what was drawn before.

Outlines come from FreeType, which draws the same font for the screen. Tables are laid out as the
OpenType specification 1.9 says, chapters glyf, loca, hmtx, maxp and cmap.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, cast

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path as Outline

if TYPE_CHECKING:
    from matplotlib.ft2font import GlyphIndexType

__all__ = ["Face", "Part", "face", "web_font"]

LARGEST_ERROR = 0.0005
"""How far a converted outline may lie from the original, as a share of the type's size."""

_KEPT = ("OS/2", "name")
_TRUETYPE = "\x00\x01\x00\x00"
# FreeType counts in 1/64 of the unit in which it was asked to load.
_FRACTIONS = 64

_MAKING = Lock()


class _Glyph(NamedTuple):
    data: bytes
    advance: int
    left: int
    points: int
    contours: int


class Part(NamedTuple):
    """Glyphs of a font, as a font of its own.

    Attributes
    ----------
    font
        With TrueType outlines; tables are bytes and written as they are.
    places
        Number of a glyph in the whole font → its number in the part. Glyph 0, the sign for what
        is missing, is always there and stays 0.
    """

    font: TTFont
    places: dict[int, int]


class Face:
    """A font file with PostScript outlines, and its glyphs turned to TrueType so far.

    Parameters
    ----------
    path
        Font file.
    index
        Number of the font in a collection.
    """

    def __init__(self, path: str, index: int = 0) -> None:
        self._font = FT2Font(path, face_index=index)
        with TTFont(path, fontNumber=max(index, 0), lazy=True) as opened:
            reader = opened.reader
            self._tables = {
                tag: bytes(reader[tag]) for tag in ("head", "hhea", "post", "hmtx", *_KEPT)
            }
        self._metrics: int = struct.unpack(">H", self._tables["hhea"][34:36])[0]
        self._glyphs: dict[int, _Glyph] = {}
        self._characters: dict[int, tuple[int, ...]] = {}
        for code, glyph in sorted(self._font.get_charmap().items()):
            self._characters[glyph] = (*self._characters.get(glyph, ()), code)

    def glyphs_of(self, characters: Iterable[str]) -> set[int]:
        """Number the glyphs of characters; those that the font lacks are left out."""
        found = {int(self._font.get_char_index(ord(character))) for character in characters}
        return found - {0}

    def part(self, glyphs: Iterable[int], flavor: str | None = None) -> Part:
        """Put glyphs together as a font, in the order of their numbers.

        Parameters
        ----------
        glyphs
            Numbers in the whole font.
        flavor
            ``"woff"`` for a web font; plain TrueType if None.
        """
        order = sorted({0, *glyphs})
        with _MAKING:
            made = [self._glyph(number) for number in order]
        starts, length = [0], 0
        for glyph in made:
            length += len(glyph.data)
            starts.append(length)
        count = len(order)
        head, hhea, post = (self._tables[tag] for tag in ("head", "hhea", "post"))
        tables = {
            "OS/2": self._tables["OS/2"],
            "cmap": self._cmap(order),
            "glyf": b"".join(glyph.data for glyph in made),
            # The last two numbers: offsets of four bytes, and the format of glyphs.
            "head": head[:50] + struct.pack(">hh", 1, 0),
            "hhea": hhea[:34] + struct.pack(">H", count),
            "hmtx": b"".join(struct.pack(">Hh", glyph.advance, glyph.left) for glyph in made),
            "loca": struct.pack(f">{count + 1}I", *starts),
            "maxp": _maxp(made),
            "name": self._tables["name"],
            # Version 3: no names of glyphs.
            "post": b"\x00\x03\x00\x00" + post[4:32],
        }
        font = TTFont(sfntVersion=_TRUETYPE, flavor=flavor, recalcTimestamp=False)
        for tag, data in tables.items():
            font[tag] = table = DefaultTable(tag)
            table.data = data
        return Part(font, {number: place for place, number in enumerate(order)})

    def _glyph(self, number: int) -> _Glyph:
        if number not in self._glyphs:
            self._glyphs[number] = self._made(number)
        return self._glyphs[number]

    def _made(self, number: int) -> _Glyph:
        asked = cast("GlyphIndexType", number)
        self._font.load_glyph(asked, LoadFlags.NO_SCALE | LoadFlags.NO_HINTING)
        pen = TTGlyphPen(None)
        error = LARGEST_ERROR * self._font.units_per_EM
        _draw(self._font, Cu2QuPen(pen, error, reverse_direction=True))
        glyph = pen.glyph()
        data = glyph.compile(None)
        advance = 4 * min(number, self._metrics - 1)
        return _Glyph(
            # Offsets must be even; four bytes are usual.
            data + b"\0" * (-len(data) % 4),
            struct.unpack(">H", self._tables["hmtx"][advance : advance + 2])[0],
            getattr(glyph, "xMin", 0),
            len(getattr(glyph, "coordinates", ())),
            max(glyph.numberOfContours, 0),
        )

    def _cmap(self, order: list[int]) -> bytes:
        """Write the table of characters: one subtable of format 12, for all of Unicode."""
        pairs = sorted(
            (code, place)
            for place, number in enumerate(order)
            for code in self._characters.get(number, ())
        )
        runs: list[list[int]] = []
        for code, place in pairs:
            if runs and code == runs[-1][1] + 1 and place == runs[-1][2] + code - runs[-1][0]:
                runs[-1][1] = code
            else:
                runs.append([code, code, place])
        size = 16 + 12 * len(runs)
        return b"".join(
            (
                struct.pack(">HHHHL", 0, 1, 3, 10, 12),
                struct.pack(">HHLLL", 12, 0, size, 0, len(runs)),
                *(struct.pack(">LLL", *run) for run in runs),
            )
        )


def _maxp(glyphs: list[_Glyph]) -> bytes:
    """Write the table of sizes, for glyphs without instructions and components."""
    most = (max(glyph.points for glyph in glyphs), max(glyph.contours for glyph in glyphs))
    return struct.pack(">L14H", 0x00010000, len(glyphs), *most, 0, 0, 1, *[0] * 8)


def _draw(font: FT2Font, pen: Cu2QuPen) -> None:
    """Draw the glyph loaded last."""
    vertices, codes = font.get_path()
    corners = [tuple(corner) for corner in (vertices * _FRACTIONS).tolist()]
    row = 0
    while row < len(codes):
        code = codes[row]
        if code == Outline.MOVETO:
            pen.moveTo(corners[row])
        elif code == Outline.LINETO:
            pen.lineTo(corners[row])
        elif code == Outline.CURVE4:
            pen.curveTo(*corners[row : row + 3])
            row += 2
        else:
            pen.closePath()
        row += 1


@lru_cache(maxsize=16)
def face(path: str, index: int = 0) -> Face | None:
    """Open a font, once in a process; None if its outlines are not PostScript.

    Parameters
    ----------
    path
        Font file.
    index
        Number of the font in a collection.
    """
    with TTFont(path, fontNumber=max(index, 0), lazy=True) as opened:
        if "CFF " not in opened:
            return None
    return Face(path, index)


def web_font(path: str, characters: Iterable[str]) -> bytes:
    """Give the glyphs of characters as a web font (WOFF 1.0).

    Parameters
    ----------
    path
        Font file.
    characters
        Those that are shown; one that the font lacks is left out.
    """
    letters = "".join(sorted(set(characters)))
    known = face(path)
    stream = BytesIO()
    if known is not None:
        known.part(known.glyphs_of(letters), "woff").font.save(stream)
        return stream.getvalue()
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    with subset.load_font(path, options) as font:
        chosen = subset.Subsetter(options)
        chosen.populate(text=letters)
        chosen.subset(font)
        subset.save_font(font, stream, options)
    return stream.getvalue()
