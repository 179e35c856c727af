"""Geometry from words, on an invented region of five cells of half a degree."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from urbangeo.plans import Plan, plan

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"


@pytest.fixture
def invented() -> Plan:
    return plan(INVENTED)


def test_members_dissolve(invented: Plan) -> None:
    extents = invented.extents.geo().set_index("extent")
    assert extents.crs.to_epsg() == 4326
    core = extents.loc["core"]
    assert core.geometry.equals(shapely.box(100, 30, 101, 30.5))
    assert (core["members"], core["other_units"], core["schematic"]) == (2, "湖口新区", False)
    assert extents.loc["lanchuan"].geometry.area == pytest.approx(5 * 0.25)
    assert extents.loc["all-parts"].geometry.equals(extents.loc["lanchuan"].geometry)


def test_a_filter_leaves_part_of_an_extent(invented: Plan) -> None:
    (part,) = invented.extents.of("白石县").geo().to_dict("records")[:1]
    assert part["geometry"].equals(shapely.box(100.5, 30, 101, 30.5))


def test_nodes_in_order_become_a_line_and_a_ring_is_closed(invented: Plan) -> None:
    structures = invented.structures.geo().set_index("structure")
    assert structures["schematic"].all()
    axis = structures.loc["axis"]
    assert list(axis.geometry.coords) == [(100.25, 30.25), (100.75, 30.25), (101.25, 30.25)]
    assert axis["nodes"] == "云江—白石—湖口"
    ring = list(structures.loc["ring"].geometry.coords)
    assert ring[0] == ring[-1] == (100.25, 30.25)
    assert len(ring) == 4


def test_the_order_is_that_of_seq_not_of_rows(invented: Plan) -> None:
    turned = invented.structures.iloc[::-1].geo().set_index("structure")
    ends = turned.loc["axis"].geometry.coords
    assert (ends[0], ends[-1]) == ((100.25, 30.25), (101.25, 30.25))


def test_a_group_is_the_counties_of_its_nodes(invented: Plan) -> None:
    group = invented.structures.geo().set_index("structure").loc["songhu"]
    assert group.geometry.area == pytest.approx(3 * 0.25)
    assert group["geometry_from"] == "counties of the nodes"


def test_what_is_no_county_is_not_taken_for_the_county_of_its_stem(invented: Plan) -> None:
    unit = invented.structures.geo().set_index("structure").loc["core"]
    assert unit.geometry is None
    assert unit["missing"] == "湖口新区"


def test_points_come_from_the_place_of_that_county(invented: Plan) -> None:
    towns = invented.towns.geo()
    assert isinstance(towns, gpd.GeoDataFrame)
    assert len(towns) == 5
    points = [(point.x, point.y) for point in towns.geometry[:4]]
    # 青渡 is in two counties.
    assert points == [(100.25, 30.4), (100.4, 30.25), (100.25, 30.4), (100.25, 30.6)]
    assert not towns["schematic"][:4].any()
    assert towns["precision_m"].tolist()[:4] == [100] * 4


def test_what_has_no_place_stands_inside_its_county_and_says_so(invented: Plan) -> None:
    lost = invented.towns.geo().iloc[4]
    assert shapely.box(100, 30.5, 101, 31).contains(lost.geometry)
    assert (lost["geometry_from"], lost["schematic"]) == ("county", True)
    # From its middle a cell of 95.7 by 55.4 km reaches 55 km to a corner.
    assert lost["precision_m"] == pytest.approx(55_300, rel=0.01)


def test_a_road_runs_from_place_to_place(invented: Plan) -> None:
    roads = invented.transport.geo()
    assert [list(road.coords) for road in roads.geometry] == [
        [(100.25, 30.25), (100.75, 30.25)],
        [(101.25, 30.25), (100.5, 30.75)],
    ]
    assert roads["schematic"].all()


def test_a_railway_port_of_entry_stands_in_its_county(invented: Plan) -> None:
    row = invented.transport.iloc[:1]
    row.loc[:, ["mode", "kind", "from", "to", "via"]] = ["rail", "port_of_entry", "", "", ""]
    row.loc[:, ["name", "adcodes"]] = ["云江铁路口岸", "990101"]
    found = row.geo().iloc[0]
    assert found["geometry_from"] == "county"
    assert shapely.box(100, 30, 100.5, 30.5).contains(found.geometry)


@pytest.mark.parametrize(
    ("place", "adcodes", "how", "expected"),
    [
        ("青渡", "990104", "place", shapely.Point(100.25, 30.6)),
        (
            "澜川市;松林县",
            "",
            "places, in order",
            shapely.LineString([(100.25, 30.25), (100.5, 30.75)]),
        ),
        ("云江县;三桥;松林县", "", "known places, in order", None),
        ("三桥", "990101;990102", "counties", shapely.box(100, 30, 101, 30.5)),
        ("", "990102", "county", shapely.Point(100.75, 30.25)),
        ("三桥", "", "", None),
    ],
)
def test_a_contradiction_stands_at_what_it_is_about(
    place: str, adcodes: str, how: str, expected: shapely.Geometry | None, invented: Plan
) -> None:
    row = invented.contradictions.iloc[:1]
    row.loc[:, ["place", "adcodes"]] = [place, adcodes]
    found = row.geo().iloc[0]
    assert found["geometry_from"] == how
    assert found["schematic"] == bool(how)
    if expected is not None:
        assert found.geometry.equals(expected)


def test_a_contradiction_about_the_whole_has_no_geometry(invented: Plan) -> None:
    listed, total = invented.contradictions.geo().geometry
    # 青渡 of the county that the row names, not that of the other.
    assert listed.equals(shapely.Point(100.25, 30.4))
    assert total is None


def test_a_table_without_counties_keeps_its_rows(invented: Plan) -> None:
    indicators = invented.indicators.geo()
    assert len(indicators) == 2
    assert indicators.geometry.isna().all()
    assert not indicators["schematic"].any()


def test_the_outer_ring_of_guiyang_is_drawn_through_its_seats() -> None:
    rings = plan("qianzhong-2023").structures
    ring = rings[rings["kind"] == "ring"].geo().iloc[0]
    assert ring["nodes"] == "修文—乌当—贵定—龙里—惠水—长顺—平坝—清镇—修文"
    assert ring["missing"] == ""
    assert ring.geometry.is_ring
    assert ring["schematic"]


def test_a_river_is_not_taken_for_the_town_of_its_name() -> None:
    structures = plan("qianzhong-2023").structures
    rivers = structures[structures["node"] == "乌江"].geo()
    assert len(rivers)
    assert rivers.geometry.isna().all()
