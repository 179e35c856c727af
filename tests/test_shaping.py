"""Sizes and outlines of texts are kept: asked for once, the same on paper, gone afterwards."""

from __future__ import annotations

import io
from contextlib import suppress
from inspect import signature
from typing import Any

import pytest
from matplotlib.backends._backend_pdf_ps import RendererPDFPSBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.patheffects import Stroke
from matplotlib.textpath import TextToPath

from urbangeo.maps import shaping
from urbangeo.maps.shaping import remembered
from urbangeo.maps.style import font, settings

SIZE = "get_text_width_height_descent"


@pytest.fixture
def figure() -> Figure:
    made = Figure(figsize=(2, 1))
    halo = [Stroke(linewidth=2, foreground="#FFFFFF")]
    made.text(0.1, 0.5, "贵安新区\nA", fontproperties=font(9), path_effects=halo)
    made.text(0.1, 0.5, "贵安新区\nA", fontproperties=font(9))
    made.text(0.9, 0.1, "贵安新区", fontproperties=font(9, "bold"), rotation=40, ha="right")
    made.text(0.9, 0.9, "贵安新区", fontproperties=font(12), ha="right")
    return made


def saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "rgba": None}[kind]
    figure.savefig(stream, format=kind, metadata=metadata)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["rgba", "pdf", "svg"])
def test_nothing_changes_on_paper(figure: Figure, kind: str) -> None:
    with settings():
        plain = saved(figure, kind)
        for _ in range(2):
            with remembered():
                assert saved(figure, kind) == plain


def test_each_text_is_measured_once() -> None:
    text, prop = "量一次的字", font(7.77)
    renderer = RendererAgg(100, 100, 144)
    with settings(), remembered():
        first = renderer.get_text_width_height_descent(text, prop, False)
        again = RendererAgg(50, 50, 144).get_text_width_height_descent(text, prop, False)
        assert again is first
        # Another resolution, size or weight is another measure.
        for other, how in (
            (RendererAgg(50, 50, 72), prop),
            (renderer, font(8)),
            (renderer, font(7.77, "bold")),
        ):
            assert other.get_text_width_height_descent(text, how, False) is not first
        outline = TextToPath().get_text_path(prop, text)
        assert TextToPath().get_text_path(font(30), text) is outline
        assert not outline[0].flags.writeable


def test_a_font_by_family_or_a_formula_is_not_kept() -> None:
    paths = TextToPath()
    named = FontProperties(family="DejaVu Sans")
    with settings(), remembered():
        assert paths.get_text_path(named, "a") is not paths.get_text_path(named, "a")
        one, other = (paths.get_text_path(font(9), "$a$", ismath=True) for _ in range(2))
        assert one is not other


def test_matplotlib_is_as_it_was() -> None:
    methods: list[tuple[Any, str]] = [
        (RendererAgg, SIZE), (RendererPDFPSBase, SIZE), (TextToPath, SIZE),
        (TextToPath, "get_text_path"),
    ]  # fmt: skip
    before = [vars(owner)[name] for owner, name in methods]
    with remembered():
        inside = [vars(owner)[name] for owner, name in methods]
    assert all(new is not old for new, old in zip(inside, before, strict=True))
    with suppress(ZeroDivisionError), remembered():
        raise ZeroDivisionError
    assert [vars(owner)[name] for owner, name in methods] == before


def test_what_is_replaced_takes_what_is_expected() -> None:
    """Should matplotlib ask for more, a text might be taken for another: then look here."""
    for owner in (RendererAgg, RendererPDFPSBase, TextToPath):
        assert list(signature(getattr(owner, SIZE)).parameters) == ["self", "s", "prop", "ismath"]
    assert list(signature(TextToPath.get_text_path).parameters) == [
        *("self", "prop", "s", "ismath", "features", "language")
    ]
    assert TextToPath.FONT_SCALE == 100.0


def test_writing_again_lays_out_less(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing routines do ask the methods that are replaced."""
    with settings(), remembered():
        saved(figure, "svg")

        def none(*_: object) -> FT2Font:
            pytest.fail("a text was laid out again")

        monkeypatch.setattr(TextToPath, "_get_font", none)
        saved(figure, "svg")


def test_the_store_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "_MOST", 2)
    asked = []

    def method(_: object, name: str) -> str:
        asked.append(name)
        return name

    kept = shaping._kept(method, lambda _, name: name)
    for name in "abab":
        assert kept(None, name) == name
    assert asked == ["a", "b"]
    kept(None, "c")
    kept(None, "a")
    assert asked == ["a", "b", "c", "a"]
