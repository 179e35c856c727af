"""The ground: whose outline, which line where several run together, whose name.

The province of `minimap`: 24 cells of half a degree from 10° E, 46° N, six wide and four high, the
one at column 2, row 2 cut into fifteen; the extent is the two middle rows.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import minimap
import pytest
import shapely
from matplotlib.axes import Axes

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.base import (
    Ground,
    county_label,
    crowded,
    enlarged,
    ground_of,
    member_codes,
    window_edges,
    wrapped,
)
from urbangeo.maps.drawing import window
from urbangeo.maps.sheet import Sheet, add_inset, new_sheet
from urbangeo.maps.style import COLOURS, SIZES, settings

CRS = equal_area((10, 46, 13, 48))
CODES = minimap.extent().adcodes
KM_PER_DEGREE = 111.2


def made(codes: tuple[str, ...] = CODES, **changes: Any) -> Ground:
    return ground_of(codes, CRS, **{**minimap.layers(), **changes})


GROUND = made()


@pytest.fixture
def sheet() -> Sheet:
    with settings():
        west, south, east, north = shapely.bounds(GROUND.province).tolist()
        return new_sheet((west, south, east, north), CRS)


def gids(axes: Axes) -> set[str]:
    return {str(one.get_gid()) for one in axes.get_children() if one.get_gid()}


# Areas and lines ----------------------------------------------------------------------------------


def test_the_outline_is_that_of_the_members() -> None:
    """Two rows of six cells, one of which is fifteen."""
    assert len(GROUND.members) == 11 + 15
    cell = GROUND.province.area / 24
    assert GROUND.outline.area == pytest.approx(12 * cell, rel=0.001)
    assert GROUND.outline.geom_type == "Polygon"
    assert not GROUND.outline.interiors


def test_where_lines_run_together_the_higher_is_drawn() -> None:
    """Between the prefectures one line of two degrees, of which the extent's rows hold one.

    The line runs at 11.5° E from 46° to 48° N; at 46.5° and 47.5° the extent's outline crosses it.
    """
    length = GROUND.prefecture_lines.length / 1000
    assert length == pytest.approx(2 * KM_PER_DEGREE, rel=0.01)
    for higher in (
        GROUND.prefecture_lines,
        GROUND.province_lines,
        shapely.boundary(GROUND.outline),
    ):
        along = shapely.intersection(GROUND.county_lines, shapely.buffer(higher, 20))
        assert along.length < 2000


def test_without_an_extent_the_whole_province_is_the_ground() -> None:
    codes = tuple(minimap.counties()["adcode"])
    whole = made(codes, whole=True)
    assert whole.has_extent
    assert whole.outline.equals(whole.province)
    assert len(whole.members) == len(codes)
    # The province's own line stands for the extent's.
    assert len(whole.lines) == 3
    assert len(GROUND.lines) == 4


def test_a_ground_about_neither_has_no_members() -> None:
    bare = made((), prefectures=None, surroundings=None)
    assert not bare.has_extent
    assert bare.outline.is_empty
    assert bare.prefecture_lines.is_empty
    assert bare.surroundings is None


def test_entries_explain_the_lines_that_are_seen() -> None:
    assert [one.text for one in GROUND.entries(GROUND.province)] == [
        *("省域边界", "规划范围边界", "市域边界", "县域边界"),
    ]
    whole = made(tuple(minimap.counties()["adcode"]), whole=True)
    assert [one.text for one in whole.entries(whole.province)] == [
        *("省域边界", "市域边界", "县域边界"),
    ]
    # In the middle of a large cell of the extent no boundary is seen, and the extent is.
    middle = shapely.buffer(GROUND.members.geometry.iloc[0].centroid, 100)
    assert [one.text for one in GROUND.entries(middle)] == ["规划范围边界"]
    bare = made(())
    inside = shapely.buffer(bare.counties.geometry.iloc[8].centroid, 100)
    assert bare.entries(inside) == []
    assert [one.text for one in bare.entries(bare.province)] == ["省域边界", "县域边界"]


def test_what_is_drawn(sheet: Sheet) -> None:
    with settings():
        GROUND.draw(sheet.map)
    names = ("beyond", "province_band", "county", "prefecture", "extent", "province")
    assert gids(sheet.map) == {*(f"line:{one}" for one in names), "land", "member"}


def test_members_must_be_among_the_counties() -> None:
    counties = minimap.counties()
    assert member_codes(minimap.extent(), counties) == list(CODES)
    lost = SimpleNamespace(title="某群", adcodes=("000001", CODES[0]))
    with pytest.raises(
        InputError, match=r"1 member\(s\) of '某群' are missing from counties: 000001"
    ):
        member_codes(lost, counties)
    with pytest.raises(InputError, match="'空' has no member"):
        member_codes(SimpleNamespace(title="空", adcodes=()), counties)


# Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("白云区", ("白云区",)),
        ("观山湖新区", ("观山湖新区",)),
        ("黔西南布依族苗族自治州", ("黔西南布依族苗族自治州", "黔西南布依族\n苗族自治州")),
        ("务川仡佬族苗族自治县", ("务川仡佬族苗族自治县", "务川仡佬族\n苗族自治县")),
        ("六盘水高新区园", ("六盘水高新区园", "六盘水高\n新区园")),
    ],
)
def test_ways_to_write_a_name(name: str, forms: tuple[str, ...]) -> None:
    assert wrapped(name) == forms


def labels_of(sheet: Sheet, names: str, ground: Ground = GROUND) -> dict[str, Any]:
    with settings():
        return {one.key: one for one in ground.labels(sheet.map, [], names, set())}


def test_members_are_named_as_the_subject_or_faintly(sheet: Sheet) -> None:
    subject = labels_of(sheet, "members")[CODES[0]]
    assert (subject.required, subject.leader, subject.priority) == (True, True, 0)
    assert subject.size == SIZES["member"]
    faint = labels_of(sheet, "faint")[CODES[0]]
    assert (faint.required, faint.leader, faint.priority) == (False, False, 6)
    assert faint.colour == COLOURS["faint_ink"]
    assert len(faint.texts) == 1
    others = labels_of(sheet, "none")
    assert not any(key in others for key in minimap.counties()["adcode"])


def test_neighbours_are_named_where_enough_of_them_is_seen(sheet: Sheet) -> None:
    """Both are higher than the strip of them that is seen; one is hidden under furniture."""
    keys = labels_of(sheet, "members")
    assert {key for key in keys if key.startswith("region:")} >= {
        "region:北邻省:0",
        "region:南邻省:1",
    }
    view = window(sheet.map)
    north = shapely.difference(view, GROUND.province)
    _, _, _, top = shapely.bounds(GROUND.province)
    west, _, east, high = view.bounds
    with settings():
        hidden = GROUND.labels(
            sheet.map, [shapely.box(west, top - 9000, east, high)], "none", set()
        )
    assert "region:北邻省:0" not in {one.key for one in hidden}
    assert not north.is_empty


def test_a_county_that_the_inset_names_is_not_named_on_the_map(sheet: Sheet) -> None:
    with settings():
        found = {one.key for one in GROUND.labels(sheet.map, [], "members", {CODES[0]})}
    assert CODES[0] not in found
    assert CODES[1] in found


def test_a_county_by_its_full_and_short_names() -> None:
    rows = minimap.counties()
    county = next(row for row in rows.itertuples() if "族" in row.name)
    label = county_label(county, member=True)
    assert label.texts == (*wrapped(county.name), county.short_name)
    assert county_label(county, member=False).texts == (county.short_name,)


# The inset ----------------------------------------------------------------------------------------


def test_the_crowded_part_is_what_is_too_small_for_its_names(sheet: Sheet) -> None:
    with settings():
        tight = crowded(sheet.map, GROUND)
    assert len(tight) == 15
    assert enlarged(GROUND, tight) == set(tight["adcode"])
    assert enlarged(GROUND, tight.iloc[:0]) == set()


def test_a_county_mostly_within_the_window_is_named_in_the_inset() -> None:
    """Two corners of the fifteen: their window holds all fifteen."""
    small = GROUND.members[GROUND.members.area < 0.2 * GROUND.members.area.max()]
    corners = small.iloc[[0, -1]]
    assert enlarged(GROUND, corners) == set(small["adcode"])


def test_names_in_the_inset(sheet: Sheet) -> None:
    with settings():
        small = crowded(sheet.map, GROUND)
        axes = add_inset(sheet, tuple(small.total_bounds), title="某", bottom=20, top=180)
        assert axes is not None
        labels = GROUND.inset_labels(axes, set(small["adcode"]), "members")
        edges = window_edges(sheet.map)
    assert {one.key for one in labels} >= set(small["adcode"])
    assert all(one.required for one in labels if one.key in set(small["adcode"]))
    assert GROUND.inset_labels(axes, set(), "none") == []
    # Four sides, each a thin box.
    assert len(edges) == 4
    assert all(left == right or bottom == top for left, bottom, right, top in edges)


def test_without_an_inset_there_are_no_edges(sheet: Sheet) -> None:
    assert window_edges(sheet.map) == []
