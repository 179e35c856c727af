"""The legend: columns as printed, two languages, long texts, room."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from urbangeo.catalog import data_folder
from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.legend import (
    TITLES,
    Entry,
    add_legend,
    add_list,
    arrangements,
    fitting,
    legend_size,
)
from urbangeo.maps.legendlayout import BREAK, OTHER_SIZE
from urbangeo.maps.sheet import PAGES, Sheet, new_sheet
from urbangeo.maps.style import SIZES, settings
from urbangeo.maps.symbols import STYLES, LineStyle, varied

LINE = Entry("线", lines=("county",))
TextBox = tuple[float, float, float, float]


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def sheet(**options: object) -> Sheet:
    half = 150_000
    crs = equal_area((9.5, 46.5, 10.5, 47.5))
    return new_sheet((-half, -half, half, half), crs, **options)  # type: ignore[arg-type]


def texts(made: Sheet, gid: str) -> list[Text]:
    return [text for text in made.page.texts if text.get_gid() == gid]


def box(made: Sheet, text: Text) -> TextBox:
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    extent = np.asarray(text.get_window_extent(renderer).extents) * 25.4 / made.figure.dpi
    return tuple(extent.tolist())  # type: ignore[return-value]


def keys(made: Sheet) -> list[tuple[Artist, np.ndarray]]:
    """The samples with their coordinates, millimetres."""
    found = []
    for artist in made.page.get_children():
        if artist.get_gid() == "legend_key" and isinstance(artist, Line2D | PathPatch):
            found.append((artist, artist.get_path().vertices))
    return found  # type: ignore[return-value]


def meet(one: TextBox, other: TextBox) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_legend_lists_its_entries_within_its_box() -> None:
    made = sheet()
    names = ["甲", "乙", "丙"]
    frame = add_legend(made, [[Entry(name, lines=("county",)) for name in names]])
    entries = texts(made, "legend_entry")
    assert [entry.get_text() for entry in entries] == names
    for entry in entries:
        x, y = entry.get_position()
        assert frame[0] < x < frame[2]
        assert frame[1] < y < frame[3]
    assert frame in made.keep_off
    assert frame[1] == made.column[1]


def test_columns_stand_side_by_side_and_may_be_wider_than_the_column() -> None:
    made = sheet()
    runs = [[Entry(f"第{i}列较长的图例名称", lines=("county",)), Entry("乙")] for i in range(3)]
    frame = add_legend(made, runs)
    first, second, third = (
        next(text for text in texts(made, "legend_entry") if text.get_text().startswith(f"第{i}"))
        for i in range(3)
    )
    assert first.get_position()[0] < second.get_position()[0] < third.get_position()[0]
    assert first.get_position()[1] == second.get_position()[1] == third.get_position()[1]
    assert frame[2] == made.column[2]
    assert frame[0] < made.column[0]
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    ends = [text.get_window_extent(renderer) for text in (first, second, third)]
    assert ends[0].x1 < ends[1].x0 < ends[1].x1 < ends[2].x0
    assert ends[2].x1 / made.figure.dpi * 25.4 < frame[2]


def test_an_empty_or_endless_legend_is_refused() -> None:
    with pytest.raises(InputError, match="at least one entry"):
        add_legend(sheet(), [[]])
    with pytest.raises(InputError, match="more columns or use a larger page"):
        add_legend(sheet(), [[LINE] * 60])


def test_list_says_how_many_are_left_out() -> None:
    made = sheet(panel=True)
    rows = [(f"第{i}县", str(i)) for i in range(40)]
    bottom = made.column[3] - 40
    shown = add_list(made, "名单", rows, bottom=bottom)
    assert 0 < shown < 40
    written = [text.get_text() for text in texts(made, "list")]
    assert written[:2] == ["第0县", "0"]
    assert written[-1] == f"……另有 {40 - shown} 处"
    assert all(text.get_position()[1] > bottom for text in texts(made, "list"))


def test_what_a_list_leaves_out_is_told_in_any_language() -> None:
    made = sheet(panel=True)
    rows = [(f"第{i}县", str(i)) for i in range(40)]
    shown = add_list(made, "List", rows, bottom=made.column[3] - 40, more="… and {count} more")
    assert texts(made, "list")[-1].get_text() == f"… and {40 - shown} more"


def test_a_long_title_of_a_list_stays_in_its_column() -> None:
    made = sheet(panel=True)
    left, _, right, top = made.column
    add_list(made, "县城至中心城市 " * 6, [("甲", "1")], bottom=top - 40)
    (title,) = texts(made, "list_title")
    west, _, east, _ = box(made, title)
    assert left < west < east < right


def test_list_without_room_or_rows_writes_nothing() -> None:
    made = sheet(panel=True)
    assert add_list(made, "名单", [], bottom=made.column[1]) == 0
    assert add_list(made, "名单", [("甲", "1")], bottom=made.column[3] - 5) == 0
    assert not texts(made, "list_title")


# Two languages ------------------------------------------------------------------------------------


def test_the_second_language_stands_below_in_smaller_type() -> None:
    made = sheet()
    frame = add_legend(made, [[Entry("县域边界", lines=("county",), other="County boundary")]])
    (own,), (other,) = texts(made, "legend_entry"), texts(made, "legend_other")
    assert (own.get_text(), other.get_text()) == ("县域边界", "County boundary")
    assert other.get_fontsize() == OTHER_SIZE
    assert 4.6 <= OTHER_SIZE < SIZES["legend"]
    above, below = box(made, own), box(made, other)
    assert below[3] < above[1] + 0.1
    assert below[0] == pytest.approx(above[0], abs=0.3)
    assert frame[1] < below[1]
    # The sample stands in the middle of both.
    ((_, key),) = keys(made)
    assert key[0, 1] == pytest.approx((above[3] + below[1]) / 2, abs=0.3)


def test_the_second_language_makes_a_legend_hardly_wider() -> None:
    """The Chinese text or 22 mm wide a column stays; only a word that cannot break is longer."""
    long = "Thousand-li Wujiang leisure and holiday tourism belt"
    chinese = [[Entry("千里乌江休闲度假旅游带", style=STYLES["river"])] for _ in range(3)]
    both = [[Entry(run[0].text, style=run[0].style, other=long)] for run in chinese]
    made = sheet()
    (narrow, low), (wide, high) = legend_size(made, chinese), legend_size(made, both)
    assert wide <= narrow + 0.01
    assert high > low
    add_legend(made, both)
    for text in texts(made, "legend_other"):
        assert text.get_text().replace("\n", " ") == long
        assert text.get_text().count("\n") == 1
        assert text.get_fontsize() == OTHER_SIZE


def test_rows_stand_in_line_whatever_breaks() -> None:
    made = sheet(page="A3")
    runs = [
        [Entry("甲", other="A"), Entry("乙", other="University or vocational park"), LINE],
        [Entry("丙", other="C"), Entry("丁"), Entry("戊", lines=("county",))],
    ]
    add_legend(made, runs)
    at = {text.get_text(): box(made, text) for text in texts(made, "legend_entry")}
    for one, other in (("甲", "丙"), ("线", "戊")):
        middles = [(at[name][1] + at[name][3]) / 2 for name in (one, other)]
        # A text with a second one below it stands higher than one without.
        assert middles[0] == pytest.approx(middles[1], abs=1.2)
    drawn = [key[0, 1] for _, key in keys(made)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("lang", ["zh", "en", "both"])
def test_titles_in_each_language(lang: str) -> None:
    made = sheet()
    title, other = TITLES[lang]
    left, _, right, top = add_legend(made, [[LINE]], title=title, other=other)
    shown = [*texts(made, "legend_title"), *texts(made, "legend_title_other")]
    assert [text.get_text() for text in shown] == [one for one in (title, other) if one]
    boxes = [box(made, text) for text in shown]
    middle = (boxes[0][0] + boxes[-1][2]) / 2
    assert middle == pytest.approx((left + right) / 2, abs=0.4)
    assert all(one[3] < top for one in boxes)
    if other:
        assert not meet(*boxes)
        assert {text.get_va() for text in shown} == {"baseline"}
        assert shown[0].get_position()[1] == shown[1].get_position()[1]
    if lang == "en":
        assert all(text.get_text().isascii() for text in made.page.texts if text is not None
                   and text.get_gid() != "legend_entry")  # fmt: skip


# Long texts ---------------------------------------------------------------------------------------


def test_a_long_text_breaks_rather_than_leaves_the_box() -> None:
    made = sheet()
    run = [Entry("很长的图例名称" * 3, lines=("county",))]
    frame = add_legend(made, [run], kilometres=30)
    (text,) = texts(made, "legend_entry")
    assert text.get_text().count("\n") == 1
    assert text.get_fontsize() == SIZES["legend"]
    left, bottom, right, top = box(made, text)
    assert frame[0] < left
    assert right < frame[2]
    assert frame[1] < bottom
    assert top < frame[3]
    assert frame[2] - frame[0] == made.column[2] - made.column[0]


def test_what_cannot_break_widens_the_legend() -> None:
    made = sheet()
    frame = add_legend(made, [[Entry("很长的图例名称" * 6, lines=("county",))]])
    assert frame[2] - frame[0] > made.column[2] - made.column[0]
    (text,) = texts(made, "legend_entry")
    assert box(made, text)[2] < frame[2]
    word = sheet()
    frame = add_legend(word, [[Entry("A" * 40, lines=("county",)), LINE]])
    (text, _) = texts(word, "legend_entry")
    assert "\n" not in text.get_text()
    assert box(word, text)[2] < frame[2]


def test_english_breaks_between_words() -> None:
    made = sheet()
    words = "Higher-education or vocational-training park of the metropolitan area"
    add_legend(made, [[Entry(words)], [LINE]])
    text = texts(made, "legend_entry")[0].get_text()
    assert text.split() == words.split()
    first, second = text.split("\n")
    assert abs(len(first) - len(second)) < 14


def test_a_broad_band_stays_in_its_row() -> None:
    made = sheet()
    broad = LineStyle((STYLES["river"].lines[0],))  # type: ignore[union-attr]
    width = 6.0
    band = LineStyle((replace(broad.lines[0], width=width),))
    add_legend(made, [[Entry("带", style=band)]])
    widest = max(artist.get_linewidth() for artist, _ in keys(made))  # type: ignore[attr-defined]
    assert widest <= 3.3 * 72 / 25.4


def test_large_signs_stand_apart() -> None:
    made = sheet()
    large = varied(STYLES["reserve-national"], size=7.0)
    add_legend(made, [[Entry(name, style=large) for name in "甲乙丙"]])
    heights = sorted({float(key[0, 1]) for _, key in keys(made)})
    assert len(heights) == 3
    assert np.diff(heights).min() >= 7.0 + 0.9 - 1e-9


# Arrangements -------------------------------------------------------------------------------------

A, B, C = (
    [Entry(f"{letter}{row}", lines=("county",)) for row in range(count)]
    for letter, count in (("甲", 4), ("乙", 2), ("丙", 1))
)


def names(runs: Any) -> list[list[str]]:
    return [[entry.text for entry in run if entry is not BREAK] for run in runs]


def test_columns_as_printed_come_first_and_keep_their_order() -> None:
    found = list(arrangements([A, B, C]))
    assert names(found[0]) == names([A, B, C])
    # Of those with two columns the one whose longer column is shorter.
    assert names(found[1]) == names([A, [*B, *C]])
    assert names(found[2]) == names([[*A, *B], C])
    assert names(found[3]) == names([[*A, *B, *C]])
    assert len(found) == 4
    for made in found:
        assert [text for run in names(made) for text in run] == [e.text for e in (*A, *B, *C)]
    assert [sum(entry is BREAK for run in made for entry in run) for made in found] == [0, 1, 1, 2]
    assert list(arrangements([A])) == [(tuple(A),)]
    assert len(list(arrangements([[one] for one in (*A, *B)]))) == 2**5


def test_columns_stay_as_printed_unless_they_hide_something() -> None:
    made = sheet()
    asked: list[tuple[float, float]] = []

    def hides(width: float, height: float) -> float:
        asked.append((width, height))
        return 0.0

    arranged = fitting(made, [A, B, C], hides)
    assert names(arranged.runs) == names([A, B, C])
    assert asked == [(arranged.width, arranged.height)]
    assert (arranged.width, arranged.height) == legend_size(made, arranged.runs)
    drawn = add_legend(made, arranged.runs)
    assert drawn[2] - drawn[0] == pytest.approx(arranged.width)
    assert drawn[3] - drawn[1] == pytest.approx(arranged.height)


def long(runs: list[list[Entry]]) -> list[list[Entry]]:
    return [[Entry(f"较长的图例名称{one.text}", lines=one.lines) for one in run] for run in runs]


def test_a_wide_legend_is_stacked_and_no_more_than_needed() -> None:
    made = sheet()
    runs = long([A, B, C])
    printed = legend_size(made, runs)
    arranged = fitting(made, runs, lambda width, height: float(width >= printed[0]))
    assert [len(run) for run in names(arranged.runs)] == [4, 3]
    assert arranged.width < printed[0]
    assert arranged.height >= printed[1]
    assert arranged.hides == 0


def test_where_all_hide_something_the_least_is_hidden() -> None:
    made = sheet()
    runs = long([A, B, C])
    # A corner is hidden by all: they stay as printed.
    assert len(fitting(made, runs, lambda width, height: 1.0).runs) == 3
    arranged = fitting(made, runs, lambda width, height: width)
    assert len(arranged.runs) == 1
    assert arranged.hides == arranged.width


def test_what_does_not_fit_is_not_chosen() -> None:
    made = sheet()
    many = [[Entry(f"{row}", lines=("county",)) for row in range(14)] for _ in range(3)]
    arranged = fitting(made, many, lambda width, height: 1000 - height)
    assert len(arranged.runs) == 2 or len(arranged.runs) == 3
    assert arranged.height <= made.column[3] - made.column[1]
    wide = [[Entry("很长的图例名称" * 2, lines=("county",))] * 2 for _ in range(6)]
    arranged = fitting(made, wide)
    assert len(arranged.runs) < 6
    add_legend(made, arranged.runs)
    endless = [[LINE] * 60]
    with pytest.raises(InputError, match="more columns or use a larger page"):
        add_legend(made, fitting(made, endless).runs)


def test_too_many_columns_are_refused() -> None:
    wide = [[Entry("很长的图例名称" * 2, lines=("county",))] for _ in range(6)]
    with pytest.raises(InputError, match="fewer columns or shorter texts"):
        add_legend(sheet(), wide)


def test_stacked_columns_stand_apart() -> None:
    made = sheet()
    add_legend(made, list(arrangements([A, B]))[1])
    at = {text.get_text(): box(made, text)[1] for text in texts(made, "legend_entry")}
    assert "" not in at
    pitch = at["甲0"] - at["甲1"]
    assert at["甲3"] - at["乙0"] == pytest.approx(pitch + 1.8, abs=0.05)
    assert at["乙0"] - at["乙1"] == pytest.approx(pitch, abs=0.05)


# What is printed ----------------------------------------------------------------------------------


def printed() -> dict[str, list[list[tuple[str, str]]]]:
    """The printed columns of each bundled figure: text and, where the manifest has it, English."""
    found = {}
    for path in sorted((data_folder() / "figures").glob("*.toml")):
        for figure in tomllib.loads(path.read_text(encoding="utf-8")).get("figure", []):
            known = {
                one["label"]: one.get("label_en", "")
                for layer in figure.get("layer", [])
                for one in (layer, *layer.get("classes", []))
                if one.get("label")
            }
            columns = [
                [(text, known.get(text, "English of the entry")) for text in run]
                for run in figure.get("legend", [])
            ]
            if columns:
                found[figure["key"]] = columns
    return found


@pytest.mark.parametrize("page", list(PAGES))
@pytest.mark.parametrize("lang", ["zh", "en", "both"])
def test_every_printed_legend_fits_and_nothing_overlaps(lang: str, page: str) -> None:
    made = sheet(page=page)
    for key, columns in printed().items():
        for text in [*made.page.texts]:
            text.remove()
        runs = []
        for column in columns:
            run = []
            for chinese, english in column:
                text = english if lang == "en" and english else chinese
                other = english if lang == "both" else ""
                run.append(Entry(text, lines=("county",), other=other))
            runs.append(run)
        arranged = fitting(made, runs)
        title, second = TITLES[lang]
        frame = add_legend(made, arranged.runs, title=title, other=second, kilometres=75)
        boxes = [
            box(made, text) for text in made.page.texts if str(text.get_gid()).startswith("legend")
        ]
        assert len(texts(made, "legend_entry")) == sum(map(len, columns)), key
        for row, one in enumerate(boxes):
            assert frame[0] < one[0], key
            assert one[2] < frame[2], key
            assert frame[1] < one[1], key
            assert one[3] < frame[3], key
            assert not any(meet(one, other) for other in boxes[:row]), key
