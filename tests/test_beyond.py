"""The figures beyond the plans: what they show is what the network and the plans' tables give."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import pandas as pd
import pytest

from urbangeo.access.circle import commuting_circle
from urbangeo.maps.layers import StyledLayer
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.network import Network
from urbangeo.plans import plan, plans

# 《贵州省“十四五”新型城镇化发展规划》, ch. 3 sec. 1: core and five regional centres.
CENTRES = ("贵阳", "遵义", "安顺", "毕节", "凯里", "都匀")


@pytest.fixture(scope="module")
def figures() -> dict[str, Prepared]:
    read = read_manifest()
    keys = ("centres/circles", "towns/gained", "plans/contradictions")
    return {key: prepare(read.figure(key), {}) for key in keys}


def layer_of(figure: Prepared, name: str) -> StyledLayer:
    (found,) = [
        layer
        for layer in figure.layers
        if isinstance(layer, StyledLayer) and layer.record.name == name
    ]
    return found


def names_by_label(layer: StyledLayer) -> dict[str, set[str]]:
    labels = {piece.row.label for piece in layer.pieces}
    return {
        label: {str(p.cells["name"]) for p in layer.pieces if p.row.label == label}
        for label in labels
    }


def test_the_centres_are_those_that_the_plan_names() -> None:
    rows = plan("guizhou-urbanization-2022").structures
    quoted = rows[rows["quote"].str.contains("5个区域中心城市")]
    assert set(CENTRES) <= set(quoted["node"])
    assert set(quoted["node"]) - set(CENTRES) == {"贵安"}


def test_circles_of_the_centres(figures: dict[str, Prepared]) -> None:
    figure = figures["centres/circles"]
    for centre in CENTRES:
        layer = layer_of(figure, f"{centre}通勤圈")
        (circle,) = layer.pieces
        assert layer.record.centres == (centre,)
        alone = commuting_circle([centre], 60, Network.backbone(2022))
        expected = gpd.GeoSeries([alone.polygon], crs=4326).to_crs(figure.crs).area.item()
        assert circle.geometry.area == pytest.approx(expected)


def test_every_town_within_the_hour_goes_to_its_nearest_centre(
    figures: dict[str, Prepared],
) -> None:
    figure = figures["centres/circles"]
    together = commuting_circle(list(CENTRES), 60, Network.backbone(2022)).towns
    inside = together[together["status"] == "inside"]
    drawn = [piece for name in ("圈内镇", "圈内县城") for piece in layer_of(figure, name).pieces]
    found = Counter((piece.cells["name"], piece.cells["centre"]) for piece in drawn)
    assert found == Counter(zip(inside["name"], inside["centre"], strict=True))
    for piece in drawn:
        assert piece.row.value == (piece.cells["centre"],)
    beyond = layer_of(figure, "圈外城镇").pieces
    assert len(drawn) + len(beyond) == len(together)


def test_towns_gained_are_those_inside_later_and_not_before(figures: dict[str, Prepared]) -> None:
    inside = {}
    for year in (2022, 2025, 2035):
        towns = commuting_circle(list(CENTRES), 60, Network.backbone(year)).towns
        inside[year] = set(towns.loc[towns["status"] == "inside", "name"])
    figure = figures["towns/gained"]
    shown = names_by_label(layer_of(figure, "城镇"))
    shown |= names_by_label(layer_of(figure, "新增城镇"))
    assert shown["至2025年新增"] == inside[2025] - inside[2022]
    assert shown["2022年已在圈内"] == inside[2022]
    # No plan promises a line by a year after 2025; the note says so.
    assert inside[2035] == inside[2025]
    assert "至2035年新增" not in shown
    assert any("2035年无新增城镇" in note for note in figure.figure.notes)


def test_what_opened_after_2022_is_told_by_its_status() -> None:
    before, after = (Network.backbone(year).links for year in (2022, 2025))
    new = after[~after["id"].isin(before["id"])]
    assert set(new["status"]) == {"在建"}
    assert "在建" not in set(before["status"])


def test_every_contradiction_with_a_place_is_drawn_once(figures: dict[str, Prepared]) -> None:
    layer = layer_of(figures["plans/contradictions"], "矛盾")
    tables = {key: pd.DataFrame(plan(key).contradictions) for key in plans()["key"]}
    rows = pd.concat(tables.values())
    placed = rows[rows["adcodes"] != ""]
    assert Counter(str(piece.cells["id"]) for piece in layer.pieces) == Counter(placed["id"])
    told = f"{len(rows)}项中{len(rows) - len(placed)}项"
    assert any(told in note.zh for note in layer.notes), "what has no place is told in the note"
    label = {"duplicate": "前后重复", "misreading": "疑似误植", "gap": "应有而缺"}
    for piece in layer.pieces:
        kind, other = piece.cells["kind"], piece.cells["plan_b"]
        expected = label.get(str(kind)) or ("两部规划相左" if other else "一部规划内相左")
        assert piece.row.label == expected
