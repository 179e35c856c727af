"""Every figure that is bundled, on A4: what a cartographer checks, and how it looks.

The pictures in ``docs/gallery`` are what the figures looked like when somebody last looked at
them; ``scripts/make_gallery.py`` makes them anew. A picture is taken at 72 dots an inch and may
differ by a root mean square of 2 grey levels of 255; where it differs by more, the picture, what
was expected and the difference are written to the folder that the failure names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Text
from shapely.geometry.base import BaseGeometry

from urbangeo.maps.atlas import file_stem
from urbangeo.maps.circlelayer import CircleLayer
from urbangeo.maps.compose import lay_out
from urbangeo.maps.drawing import metres_per_mm, window
from urbangeo.maps.furniture import bar_error, north_error
from urbangeo.maps.layers import StyledLayer, hidden_symbols
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.reader import BASE_ENTRIES, EXTENT_ENTRY
from urbangeo.maps.style import missing_glyphs
from urbangeo.maps.symbols import PointStyle

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
TOLERANCE = 2.0
DPI = 72

FIGURES = read_manifest().figures


@lru_cache(maxsize=1)
def drawn(key: str) -> tuple[Prepared, Figure]:
    """A figure with its data; kept while its tests run."""
    prepared = prepare(FIGURES[key], {})
    return prepared, lay_out(prepared, page="A4")


def figures(*, pictures: bool = False) -> Any:
    """Run a test for each figure, those of one figure in one process."""
    cases = []
    for key in FIGURES:
        stem = file_stem(key, "A4", "A4")
        marks = [pytest.mark.xdist_group(key)]
        if pictures:
            name = f"{stem}.png"
            options = {"dpi": DPI, "metadata": {"Software": None}}
            marks.append(
                pytest.mark.mpl_image_compare(
                    baseline_dir=str(GALLERY),
                    filename=name,
                    tolerance=TOLERANCE,
                    savefig_kwargs=options,
                )
            )
        cases.append(pytest.param(key, id=stem, marks=marks))
    return pytest.mark.parametrize("key", cases, scope="module")


def words(figure: Figure, gid: str) -> list[Text]:
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and (text.get_gid() or "").startswith(gid)
    ]


def corners(text: Text, figure: Figure) -> BaseGeometry:
    """The box of a text, turned as it is, in millimetres of the page."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    angle = text.get_rotation()
    text.set_rotation(0)
    plain = text.get_window_extent(renderer)
    text.set_rotation(angle)
    box = shapely.box(*(np.asarray(plain.extents) * 25.4 / figure.dpi))
    return shapely.affinity.rotate(box, angle, origin="center")


def frame_of(axes: Axes, figure: Figure) -> BaseGeometry:
    return shapely.box(*(np.asarray(axes.get_window_extent().extents) * 25.4 / figure.dpi))


def maps(figure: Figure) -> list[Axes]:
    """The maps of a figure and its inset: the axes that are not the page."""
    return [axes for axes in figure.axes if axes.patch.get_visible()]


# What must hold of every figure -------------------------------------------------------------------


@figures()
def test_no_glyph_is_missing(key: str) -> None:
    assert missing_glyphs(drawn(key)[1]) == {}


@figures()
def test_no_name_overlaps_another_or_leaves_its_frame(key: str) -> None:
    _, figure = drawn(key)
    for axes in maps(figure):
        frame = frame_of(axes, figure)
        names = [t for t in axes.texts if str(t.get_gid()).startswith("label:")]
        boxes = [corners(text, figure) for text in names]
        for text, box in zip(names, boxes, strict=True):
            assert shapely.covers(shapely.buffer(frame, 0.1), box), text.get_text()
        # 0.1 mm for what a box gains by rounding to dots
        inner = [shapely.buffer(box, -0.1) for box in boxes]
        tree = shapely.STRtree(inner)
        first, second = tree.query(inner, predicate="intersects")
        met = [(a, b) for a, b in zip(first, second, strict=True) if a < b]
        assert [(names[a].get_text(), names[b].get_text()) for a, b in met] == []


@figures()
def test_no_name_stands_under_the_furniture(key: str) -> None:
    _, figure = drawn(key)
    page = next(axes for axes in figure.axes if not axes.patch.get_visible())
    panels = [
        one
        for one in page.patches
        if isinstance(one, Rectangle) and one.get_gid() == "frame" and one.get_facecolor()[3]
    ]
    covered = [shapely.box(*one.get_bbox().extents) for one in panels]
    inset = {id(axes) for axes in maps(figure) if axes.get_zorder() > 10}
    for axes in maps(figure):
        if id(axes) in inset:
            continue
        for text in axes.texts:
            if str(text.get_gid()).startswith("label:"):
                inner = shapely.buffer(corners(text, figure), -0.1)
                assert not any(shapely.intersects(one, inner) for one in covered), text.get_text()


@figures()
def test_the_legend_lists_what_is_drawn_and_no_more(key: str) -> None:
    prepared, figure = drawn(key)
    listed = {text.get_text() for text in words(figure, "legend_entry")}
    headings = {
        text.lstrip("# ").partition(" | ")[0]
        for run in prepared.figure.legend
        for text in run
        if text.startswith("#")
    }
    classes: set[str] = set()
    base: set[str] = set()
    for part, axes in zip(prepared.parts, maps(figure), strict=False):
        for layer in part.layers:
            if isinstance(layer, CircleLayer):
                classes |= {entry.text for entry in layer.entries(window(axes))}
                headings |= {e.text for e in layer.entries(window(axes)) if e.heading}
                headings.add("界线")
        told = {EXTENT_ENTRY: prepared.figure.extent_label or EXTENT_ENTRY}
        base |= {told.get(one.text, one.text) for one in part.ground.entries(window(axes))}
        gids = {str(artist.get_gid()) for artist in axes.get_children()}
        classes |= {gid.split(":", 2)[2] for gid in gids if gid.startswith("layer:")}
    legend = {re.sub(r"\s", "", one) for one in (listed - headings) if re.sub(r"\s", "", one)}
    expected = {re.sub(r"\s", "", one) for one in classes | base if one} - {
        re.sub(r"\s", "", one) for one in headings
    }
    assert legend - expected == set()
    # A base map explains itself only as far as the printed legend asks for it.
    assert expected - legend <= {*BASE_ENTRIES, prepared.figure.extent_label}


@figures()
def test_the_scale_bar_is_true_and_the_arrow_points_north(key: str) -> None:
    _, figure = drawn(key)
    assert abs(bar_error(figure)) < 0.005
    assert abs(north_error(figure)) < 0.5


@figures()
def test_every_member_is_on_the_map(key: str) -> None:
    """Each row with a place is a piece, each piece in the window is drawn, the others are told."""
    prepared, figure = drawn(key)
    note = "".join(text.get_text() for text in words(figure, "note"))
    for part, axes in zip(prepared.parts, maps(figure), strict=False):
        view = window(axes)
        for layer in part.layers:
            if not isinstance(layer, StyledLayer):
                continue
            if layer.record.shape in {"", "points", "counties"}:
                frame = layer.fetched.frame
                placed = int((~(frame.geometry.isna() | frame.geometry.is_empty)).sum())
                lost = len(frame) - placed
                strays = placed - len(layer.pieces)
                assert (lost == 0) or f"“{layer.record.name}”{len(frame)}项中{lost}项" in note
                assert (strays == 0) or f"“{layer.record.name}”有{strays}项" in note
            signs = [p for p in layer.pieces if isinstance(p.row.style, PointStyle)]
            inside = shapely.contains_xy(view, layer.positions(metres_per_mm(axes)))
            expected: dict[str, list[int]] = {}
            for row in {id(p.row): p.row for p in signs}.values():
                count = sum(bool(at) for p, at in zip(signs, inside, strict=True) if p.row is row)
                gid = f"layer:{layer.record.name}:{row.label}"
                marks = len(row.style.marks)  # type: ignore[union-attr]
                expected.setdefault(gid, []).extend([count] * (marks if count else 0))
            for gid, counts in expected.items():
                found = [
                    len(np.atleast_1d(a.get_xdata())) for a in axes.lines if a.get_gid() == gid
                ]
                assert sorted(found) == sorted(counts), gid


@figures()
def test_names_that_must_be_there_are(key: str) -> None:
    prepared, figure = drawn(key)
    shown = [axes for axes in maps(figure) if axes.texts]
    written = {
        str(text.get_gid()).removeprefix("label:"): text.get_text()
        for axes in shown
        for text in axes.texts
        if str(text.get_gid()).startswith("label:")
    }
    texts = {re.sub(r"\s", "", one) for one in written.values()}
    for part, axes in zip(prepared.parts, maps(figure), strict=False):
        signs = [layer.symbols(axes) for layer in part.layers]
        hidden = hidden_symbols(signs, metres_per_mm(axes))
        for layer, beneath in zip(part.layers, hidden, strict=True):
            for label in layer.labels(axes, beneath):
                if label.required:
                    assert {re.sub(r"\s", "", one) for one in label.texts} & texts, label.texts
        if prepared.figure.county_names == "members":
            for county in part.ground.members.itertuples():
                forms = {re.sub(r"\s", "", one) for one in (county.name, county.short_name)}
                assert forms & texts, county.name


@figures()
def test_the_note_says_whose_data_and_whether_schematic(key: str) -> None:
    prepared, figure = drawn(key)
    note = "".join(text.get_text() for text in words(figure, "note"))
    title = words(figure, "title")[0].get_text()
    assert "投影：兰勃特方位等积投影" in note
    assert "本图未经地图审核" in note
    assert "审图号" not in note
    assert ("示意" in title) == ("示意：" in note)
    for layer in prepared.layers:
        if isinstance(layer, StyledLayer):
            for words_of_data in layer.fetched.attributions:
                # Lines break at spaces.
                assert re.sub(r"\s", "", words_of_data) in re.sub(r"\s", "", note)
        else:
            assert "骨架" in note
    assert not [one for one in figure.findobj(Patch) if one.get_gid() == "approval"]


@figures()
def test_english_leaves_no_class_in_chinese(key: str) -> None:
    record = FIGURES[key]
    assert record.key == "circle" or record.title_en
    for layer in record.layers:
        for one in layer.classes:
            assert bool(one.label_en) == bool(one.label), (layer.name, one.label)


# How it looks -------------------------------------------------------------------------------------


@figures(pictures=True)
def test_it_looks_as_it_did(key: str) -> Figure:
    return drawn(key)[1]
