"""A commuting circle as tables."""

from __future__ import annotations

from typing import Any

import minimap
import pytest
import shapely
from matplotlib.axes import Axes
from test_qgis_exporting import exported, table

from urbangeo.maps.compose import lay_out
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import prepare
from urbangeo.maps.qgis.records import CLASS, LABEL, LABEL_LAT, LABEL_LON, ExportMap


@pytest.fixture(scope="module")
def circle() -> tuple[ExportMap, Axes]:
    record = read_manifest().figure("circle")
    inputs: dict[str, Any] = {
        "circle": minimap.circle(),
        "counties": minimap.counties(),
        "province": minimap.province(),
    }
    prepared = prepare(record, inputs)
    return exported(prepared, lay_out(prepared))


def test_a_circle_is_bands_network_towns_and_centre(circle: tuple[ExportMap, Axes]) -> None:
    made, _ = circle
    own = [layer for layer in made.layers if not layer.ground]
    assert [layer.title for layer in own] == [
        *("行程时间", "60 分钟圈界", "路网（骨架）", "城镇", "通勤中心", "公路编号"),
    ]
    for layer in own:
        assert layer.provenance.network == "0123456789abcdef"
        assert layer.provenance.year == "2022 年末"
        assert layer.provenance.attributions == ("示例路网提供者",)


def test_links_of_a_circle_lie_by_class(circle: tuple[ExportMap, Axes]) -> None:
    layer = table(circle[0], "_links_line")
    assert layer.frame[CLASS].tolist() == ["省道及以下公路", "普通国道", "高速公路", "高速铁路"]
    assert [one.value for one in layer.classes] == layer.frame[CLASS].tolist()[::-1]
    assert layer.frame["class_given"].tolist() == ["county", "national", "expressway", "hsr"]


def test_towns_of_a_circle_have_status_and_name(circle: tuple[ExportMap, Axes]) -> None:
    layer = table(circle[0], "_towns_point")
    told = layer.frame.set_index("name")[CLASS].to_dict()
    assert told["近城县"] == "圈内：市县驻地"
    assert told["河口"] == "临界（余量小于路网误差）：城镇"
    assert told["天边"] == "未接入路网：城镇"
    # A name that the sheet shows stands near its town: the keys count the towns in the window.
    shown = layer.frame[layer.frame[LABEL_LON].notna()]
    assert len(shown) >= 3
    assert shown[LABEL].tolist() == shown["name"].tolist()
    spots = shapely.points(shown[LABEL_LON], shown[LABEL_LAT])
    assert (shapely.distance(spots, shown.geometry.to_numpy()) < 0.1).all()
