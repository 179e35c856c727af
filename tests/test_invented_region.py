"""From tables to figure on a region that does not exist: nothing in the code knows Guizhou."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from urbangeo.access import commuting_circle
from urbangeo.maps.figures import draw_circle, draw_extent
from urbangeo.network import Network
from urbangeo.plans import Plan, plan

FOLDER = Path(__file__).parent / "data" / "lanchuan-2030"


@pytest.fixture(scope="module")
def lanchuan() -> Plan:
    return plan(FOLDER)


@pytest.fixture(scope="module")
def net() -> Network:
    nodes, links = (
        pd.read_csv(FOLDER / "network" / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in ("nodes", "links")
    )
    return Network.from_tables(nodes, links)


def test_from_tables_through_network_to_circle(lanchuan: Plan, net: Network) -> None:
    places = lanchuan.gazetteer
    asked = places[places["kind"].isin(["county_seat", "town"])]
    circle = commuting_circle((100.25, 30.25), 60, net, places=asked)
    towns = circle.towns.set_index(["county", "name"])
    assert len(towns) == len(asked)
    # One straight road: 0.15° to 双桥, 0.5° to 白石县, 1° to 湖口区.
    minutes = towns["minutes"]
    near, middle, far = (
        minutes["云江县", "双桥"],
        minutes["白石县", "白石县"],
        minutes["湖口区", "湖口区"],
    )
    assert minutes["云江县", "云江县"] == 0
    assert middle / near == pytest.approx(0.5 / 0.15, rel=1e-3)
    assert far / near == pytest.approx(1.0 / 0.15, rel=1e-3)
    # 14.4 km at the speed of a national road, stretched as its class is.
    speed = net.speed_kmh[0]
    stretch = net.length_m[0] / 14_440
    assert near == pytest.approx(14.44 * stretch / speed * 60, rel=0.01)
    inside = set(towns.index[towns["status"] == "inside"])
    assert {("云江县", "青渡"), ("云江县", "双桥")} <= inside
    assert ("湖口区", "湖口区") not in inside


def prefectures(lanchuan: Plan) -> gpd.GeoDataFrame:
    dissolved = lanchuan.county_layer.dissolve("prefecture").reset_index()
    return dissolved.drop(columns="name").rename(columns={"prefecture": "name"})


def words(figure: object) -> str:
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text))  # type: ignore[attr-defined]


def test_the_figure_of_an_extent(lanchuan: Plan) -> None:
    whole = prefectures(lanchuan)
    figure = draw_extent(
        lanchuan.extent("core"),
        counties=lanchuan.county_layer,
        prefectures=whole,
        province=whole,
        heading=lanchuan.record.title,
    )
    drawn = words(figure)
    assert "澜川市城镇发展规划" in drawn
    assert "云江县" in drawn
    assert "贵" not in drawn


def test_the_figure_of_a_circle(lanchuan: Plan, net: Network) -> None:
    places = lanchuan.gazetteer
    asked = places[places["kind"].isin(["county_seat", "town"])]
    circle = commuting_circle((100.25, 30.25), 60, net, places=asked)
    figure = draw_circle(circle, counties=lanchuan.county_layer, province=prefectures(lanchuan))
    drawn = words(figure)
    assert "青渡" in drawn
    assert "贵" not in drawn


def test_the_country_is_not_asked_for(lanchuan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with boundaries and gazetteer of its own needs no other."""
    from urbangeo import layer

    def refuse(*_: object) -> None:
        raise AssertionError("the registered boundaries were read")

    monkeypatch.setattr(layer, "_boundaries", refuse)
    fresh = Plan(lanchuan.record, lanchuan.folder, lanchuan._tables)
    assert len(fresh.towns.within("澜川市")) == 5
    assert fresh.extents.geo().geometry.notna().all()
    assert fresh.towns.geo().geometry.notna().all()
    with pytest.raises(LookupError):
        fresh.county_codes("贵阳市")
