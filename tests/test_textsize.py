"""Widths reckoned from kept advances against what matplotlib measures when it draws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from urbangeo.maps.style import SIZES, Weight, font, settings
from urbangeo.maps.textsize import LINE_SPACING, measure

TEXTS = (
    "国",
    "黔中城市",
    "贵阳—贵安发展极核",
    "500千伏醒狮#3变电站扩建",
    "苟江（和平）经济开发区",
    "“一主五极”",
    "G6002",
    "AVATAR To Type",
    "甲乙\n丙丁戊",
    "四 川 省",
)


def figure() -> Figure:
    made = Figure(dpi=300)
    FigureCanvasAgg(made)
    return made


def by_matplotlib(made: Figure, text: str, size: float, weight: Weight) -> tuple[float, float]:
    artist = Text(0, 0, text, fontproperties=font(size, weight), linespacing=LINE_SPACING)
    artist.set_figure(made)
    extent = artist.get_window_extent(renderer=made.canvas.get_renderer())  # type: ignore[attr-defined]
    return extent.width * 25.4 / 300, extent.height * 25.4 / 300


def test_a_character_is_about_as_wide_as_its_size() -> None:
    """A Chinese character fills a square of the type's size: 10 points are 3.53 mm."""
    width, height = measure(figure(), "黔中城市", 10)
    assert width == pytest.approx(4 * 10 / 72 * 25.4, rel=1e-3)
    assert 10 / 72 * 25.4 < height < 1.6 * 10 / 72 * 25.4


@pytest.mark.parametrize("weight", ["regular", "medium", "bold"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_as_large_as_matplotlib_says(text: str, weight: Weight) -> None:
    with settings():
        made = figure()
        for size in sorted(set(SIZES.values())):
            width, height = by_matplotlib(made, text, size, weight)
            assert measure(made, text, size, weight)[0] == pytest.approx(width, rel=1e-3)
            assert measure(made, text, size, weight)[1] == pytest.approx(height, rel=0.03)


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.text("国际经济技术开发区—（）#AVTo 0123", min_size=1, max_size=20), st.floats(4.5, 30))
def test_any_text_is_as_wide_as_matplotlib_says(text: str, size: float) -> None:
    """FreeType rounds each character to a 64th of a pixel, a thousandth of a millimetre."""
    with settings():
        made = figure()
        width, _ = by_matplotlib(made, text, size, "regular")
        slack = len(text) / 64 * 25.4 / 300
        assert measure(made, text, size)[0] == pytest.approx(width, rel=1e-4, abs=slack)


def test_no_text_has_no_width() -> None:
    width, height = measure(figure(), "", 7.0)
    assert width == 0
    assert height > 0
