"""The style sheet: its font, its colours, and that it leaves global settings alone."""

from __future__ import annotations

import itertools
import subprocess
import sys

import matplotlib as mpl
import pytest
from fontTools.ttLib import TTFont
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from urbangeo.errors import InputError
from urbangeo.maps.style import (
    BANDS,
    COLOURS,
    FONT_FAMILY,
    LINES,
    SIZES,
    font,
    font_file,
    missing_glyphs,
    points,
    settings,
)


def lightness(colour: str) -> float:
    """Relative luminance (IEC 61966-2-1), from 0 black to 1 white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_font_file_holds_the_named_family() -> None:
    for weight in ("regular", "medium", "bold"):
        with TTFont(font_file(weight), lazy=True) as opened:
            assert opened["name"].getBestFamilyName() == FONT_FAMILY
            assert {ord("黔"), ord("瓮"), ord("匀")} <= set(opened.getBestCmap())


def test_a_font_is_a_file_with_size_and_weight() -> None:
    made = font("title", "bold")
    assert made.get_size_in_points() == SIZES["title"]
    assert made.get_weight() == 700
    assert made.get_file() == str(font_file("bold"))


def test_an_unknown_weight_is_refused() -> None:
    with pytest.raises(InputError, match="'heavy'; known: regular, medium, bold"):
        font_file("heavy")  # type: ignore[arg-type]


def test_a_missing_font_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urbangeo.maps.style.find_spec", lambda name: None)
    font_file.cache_clear()
    with pytest.raises(InputError, match="pip install mpl-font"):
        font_file("regular")
    monkeypatch.undo()
    font_file.cache_clear()


def test_settings_last_only_as_long_as_they_are_needed() -> None:
    before = dict(mpl.rcParams)
    with settings():
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert mpl.rcParams["font.family"] == [FONT_FAMILY]
    assert dict(mpl.rcParams) == before


def test_settings_do_not_depend_on_the_users() -> None:
    with mpl.rc_context({"lines.antialiased": False, "savefig.bbox": "tight"}), settings():
        assert mpl.rcParams["lines.antialiased"] is True
        assert mpl.rcParams["savefig.bbox"] is None


def test_a_missing_glyph_is_found_with_its_text() -> None:
    figure = Figure()
    figure.text(0, 0, "黔中", fontproperties=font(8))
    assert missing_glyphs(figure) == {}
    figure.text(0, 0, "黔\U000f0000", fontproperties=font(8))
    assert missing_glyphs(figure) == {"\U000f0000": ["黔\U000f0000"]}


def test_bands_grow_lighter_with_time() -> None:
    shades = [lightness(colour) for colour in BANDS]
    assert all(far - near > 0.04 for near, far in itertools.pairwise(shades))


def test_boundaries_are_told_apart_in_grey() -> None:
    """The higher the rank, the wider the line; colour is not needed."""
    widths = [LINES[name].width for name in ("extent", "province", "prefecture", "county")]
    assert all(higher > 1.2 * lower for higher, lower in itertools.pairwise(widths))
    assert lightness(COLOURS["extent"]) < 0.2
    patterns = {LINES[name].dashes for name in ("extent", "province", "prefecture")}
    assert len(patterns) == 3


def test_roads_and_railways_are_told_apart_in_grey() -> None:
    for rail in ("hsr", "intercity", "rail"):
        assert LINES[rail].dashes
        assert LINES[rail].gap
    widths = [LINES[name].width for name in ("expressway", "national", "provincial")]
    assert widths == sorted(widths, reverse=True)


def test_every_colour_is_one() -> None:
    for line in LINES.values():
        for colour in filter(None, (line.colour, line.case_colour, line.gap)):
            to_rgb(colour)
    for colour in COLOURS.values():
        to_rgb(colour)


def test_a_millimetre_in_points() -> None:
    assert points(25.4) == pytest.approx(72)


def test_style_does_not_bring_in_pyplot() -> None:
    code = (
        "import sys, urbangeo.maps.figures, urbangeo.maps.printing;"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_alone_does_not_bring_in_matplotlib() -> None:
    code = "import sys, urbangeo.maps; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
