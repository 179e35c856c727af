"""Parts of the font: TrueType outlines, right sizes, the same bytes whatever came before."""

from __future__ import annotations

import io

import matplotlib as mpl
import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from matplotlib.ft2font import FT2Font, LoadFlags

from urbangeo.maps.style import font_file
from urbangeo.maps.typefaces import LARGEST_ERROR, Face, Part, face, web_font

TEXT = "贵州省黔中城市群 0–75 km ①"


@pytest.fixture(scope="module")
def path() -> str:
    return str(font_file("medium"))


@pytest.fixture(scope="module")
def whole(path: str) -> Face:
    return Face(path)


@pytest.fixture(scope="module")
def part(whole: Face) -> Part:
    return whole.part(whole.glyphs_of(TEXT))


def written(part: Part) -> bytes:
    stream = io.BytesIO()
    part.font.save(stream)
    return stream.getvalue()


def test_the_part_has_what_was_asked_for_and_no_more(path: str, part: Part) -> None:
    opened = TTFont(io.BytesIO(written(part)))
    original = FT2Font(path)
    asked = {original.get_char_index(ord(character)) for character in TEXT}
    # One glyph may stand for several characters: a space for one that does not break.
    known = {code for code, glyph in original.get_charmap().items() if glyph in asked}
    assert set(opened.getBestCmap()) == known >= set(map(ord, TEXT))
    assert opened["maxp"].numGlyphs == len(set(TEXT)) + 1
    assert part.places[0] == 0
    assert sorted(part.places.values()) == list(range(len(set(TEXT)) + 1))
    assert list(part.places) == sorted(part.places)


def test_characters_keep_glyph_width_and_shape(path: str, whole: Face, part: Part) -> None:
    opened, original = TTFont(io.BytesIO(written(part))), TTFont(path, lazy=True)
    for character in TEXT:
        name, old = (one.getBestCmap()[ord(character)] for one in (opened, original))
        (number,) = whole.glyphs_of(character)
        assert original.getGlyphID(old) == number
        assert opened.getGlyphID(name) == part.places[number]
        assert opened["hmtx"][name][0] == original["hmtx"][old][0]
        measured = []
        for one, glyph in ((opened, name), (original, old)):
            glyphs = one.getGlyphSet()
            pens = AreaPen(glyphs), BoundsPen(glyphs)
            for pen in pens:
                glyphs[glyph].draw(pen)
            measured.append((pens[0].value, pens[1].bounds))
        # TrueType outlines run the other way round.
        assert measured[0][0] == pytest.approx(-measured[1][0], rel=0.01), character
        if measured[1][1] is None:
            assert measured[0][1] is None
            continue
        # A unit is a thousandth of the size of type; corners are rounded to units.
        error = LARGEST_ERROR * 1000 + 0.5
        assert measured[0][1] == pytest.approx(measured[1][1], abs=error), character
        assert opened["hmtx"][name][1] == measured[0][1][0]
    original.close()


def test_sizes_told_are_those_of_the_glyphs(part: Part) -> None:
    opened = TTFont(io.BytesIO(written(part)))
    glyphs = [opened["glyf"][name] for name in opened.getGlyphOrder()]
    assert opened["maxp"].maxPoints == max(len(one.getCoordinates(None)[0]) for one in glyphs)
    assert opened["maxp"].maxContours == max(one.numberOfContours for one in glyphs)
    assert opened["hhea"].numberOfHMetrics == len(glyphs)
    assert opened["post"].formatType == 3.0
    assert opened["loca"].locations[-1] == len(opened.reader["glyf"])


def test_freetype_reads_it(part: Part) -> None:
    made = FT2Font(io.BytesIO(written(part)))
    assert made.num_glyphs == len(part.places)
    assert made.family_name == "Noto Sans CJK SC"
    for character in TEXT:
        glyph = made.get_char_index(ord(character))
        assert glyph
        assert made.load_glyph(glyph, LoadFlags.NO_SCALE).horiAdvance > 0


def test_what_was_made_before_does_not_show(path: str) -> None:
    fresh, used = Face(path), Face(path)
    used.part(used.glyphs_of("一丁丂七丄丅丆万"))
    used.part(used.glyphs_of(reversed(TEXT)))
    parts = [one.part(one.glyphs_of(TEXT)) for one in (fresh, used)]
    assert written(parts[0]) == written(parts[1])
    assert parts[0].places == parts[1].places


def test_an_alternate_glyph_without_a_character_is_kept(path: str, whole: Face) -> None:
    """Shaping may choose a glyph that no character names, such as one for upright type."""
    original = TTFont(path, lazy=True)
    named = {original.getGlyphID(name) for name in original.getBestCmap().values()}
    number = next(n for n in range(1, original["maxp"].numGlyphs) if n not in named)
    original.close()
    made = whole.part([number])
    opened = TTFont(io.BytesIO(written(made)))
    assert opened["maxp"].numGlyphs == 2
    assert opened.getBestCmap() == {}


def test_a_missing_character_has_no_glyph(whole: Face) -> None:
    assert whole.glyphs_of("\U000f0000") == set()


def test_a_web_font_holds_the_same_glyphs(path: str, part: Part) -> None:
    data = web_font(path, TEXT)
    assert data[:4] == b"wOFF"
    assert data == web_font(path, reversed(TEXT + TEXT))
    web, plain = TTFont(io.BytesIO(data)), TTFont(io.BytesIO(written(part)))
    assert web.reader["glyf"] == plain.reader["glyf"]
    assert web.reader["cmap"] == plain.reader["cmap"]


def test_a_truetype_font_is_left_to_fonttools() -> None:
    dejavu = mpl.get_data_path() + "/fonts/ttf/DejaVuSans.ttf"
    assert face(dejavu) is None
    opened, original = TTFont(io.BytesIO(web_font(dejavu, "km"))), TTFont(dejavu)
    assert set(opened.getBestCmap()) == set(map(ord, "km"))
    drawn = []
    for one in (opened, original):
        glyphs = one.getGlyphSet()
        pen = DecomposingRecordingPen(glyphs)
        glyphs[one.getBestCmap()[ord("k")]].draw(pen)
        drawn.append(pen.value)
    assert drawn[0] == drawn[1]
