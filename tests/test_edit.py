"""More in a network: new links, a merged railway, a timetable's stations; times by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from gtfsfeeds import line_feed, stop, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, MultiLineString, Point

from urbangeo.access import travel_times
from urbangeo.crs import GEOD
from urbangeo.errors import CRSError, InputError, NetworkError, TableError, UnknownNameError
from urbangeo.network import Facts, Network
from urbangeo.network.edit import timetabled
from urbangeo.network.ingest import IngestReport
from urbangeo.network.lines import Lines
from urbangeo.network.profiles import BoardingRule, TerrainRule

METRO = BoardingRule(entry_min=3, exit_min=2, transfer_min=1, wait_share=0.5, wait_cap_min=5)
EDITING = replace(
    PROFILE,
    sinuosity=MappingProxyType({**PROFILE.sinuosity, "connector": 1.0, "metro": 1.0}),
    road_kmh=MappingProxyType({**PROFILE.road_kmh, "connector": 30.0}),
    rail=MappingProxyType({**PROFILE.rail, "metro": METRO}),
)
"""A minute for a kilometre of national road, two for county road and connectors, a half for
expressways."""


def table(*rows: dict[str, Any], crs: object = 4326) -> gpd.GeoDataFrame:
    """Make a table of drawn lines; ``line`` holds their positions."""
    shapes = [row.pop("line") for row in rows]
    shapes = [LineString(one) if isinstance(one, list) else one for one in shapes]
    return gpd.GeoDataFrame(pd.DataFrame(list(rows)), geometry=shapes, crs=crs)


def minutes(net: Network, modes: tuple[str, ...] = ("road",)) -> pd.DataFrame:
    """Times between all nodes over the graph."""
    graph = net.graph(modes)
    found = dijkstra(graph.matrix(), indices=np.arange(graph.n_nodes))[:, : graph.n_nodes]
    ids = net.nodes["id"]
    return pd.DataFrame(found / 60_000, ids, ids)


def added_ids(net: Network, base: Network) -> list[str]:
    return [one for one in net.links["id"] if one not in set(base.links["id"])]


def ladder(**facts: Any) -> Network:
    """Two parallel roads of 10 km, 27.00 and 27.05 N, joined by 6 km in the west."""
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.1, 27.0),
        node("C", 107.0, 27.05),
        node("D", 107.1, 27.05),
    ]
    links = [link("A", "B", 10), link("C", "D", 10), link("A", "C", 6)]
    return replace(network(nodes, links, **facts), profile=EDITING)


RUNG = {"class": "county", "name": "新路", "length_m": 6000.0}
MIDDLE = [(107.05, 27.0), (107.05, 27.05)]


# -- by id -----------------------------------------------------------------------------------


def dated() -> Network:
    nodes = [node(name, 107 + place * 0.01, 27) for place, name in enumerate("ABC")]
    nodes += [node("S", 107.0, 27.01, "station"), node("T", 107.1, 27.01, "station")]
    links = [
        link("A", "B", 1, open_year=2015),
        link("B", "C", 1, status="在建", planned_year=2030),
        link("A", "S", 1, status="研究"),
    ]
    trains = service("G1", ["S", "T"], [9], status="前期")
    return network(nodes, links, trains, first_year=2015, last_year=2035)


def test_planned_links_and_services_open_in_any_year_and_close_again() -> None:
    net = dated().at(2022)
    assert net.links["id"].tolist() == ["A-B"]
    opened = net.with_links(["B-C", "G1"])
    assert opened.links["id"].tolist() == ["A-B", "B-C"]
    assert set(opened.services["service"]) == {"G1"}
    assert opened.at(2016).links["id"].tolist() == ["A-B", "B-C"]
    closed = opened.without("B-C").without("G1")
    assert closed.links["id"].tolist() == ["A-B"]
    assert not len(closed.services)
    assert closed.with_links("B-C").links["id"].tolist() == ["A-B", "B-C"]
    assert opened.history == ("at(2022)", "with_links(['B-C', 'G1'])")


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"'B-D'\. Did you mean .*B-C"):
        dated().at(2022).with_links(["A-B", "B-D"])


# -- between named nodes ---------------------------------------------------------------------


def test_a_table_of_ends_joins_the_nodes_named() -> None:
    net = ladder()
    made = net.with_links(
        pd.DataFrame([{"from": "B", "to": "D", "class": "national", "length_m": 6000, "toll": 5}])
    )
    assert minutes(net).loc["B", "D"] == 26
    assert minutes(made).loc["B", "D"] == 6
    row = made.links.iloc[-1]
    assert (row["id"], row["from"], row["to"], row["toll"]) == ("new-1", "B", "D", 5)
    assert (row["status"], row["source"]) == ("已建成", "用户绘制")
    assert net.links["id"].tolist() == ["A-B", "C-D", "A-C"]
    assert made.history == ("with_links(['new-1'])",)


def test_drawn_links_between_named_nodes_keep_their_line_from_any_crs() -> None:
    bow = [(107.1, 27.0), (107.15, 27.025), (107.1, 27.05)]
    drawn = table({"from": "B", "to": "D", "class": "national", "line": bow})
    drawn = drawn.rename_geometry("shape").to_crs(32648)
    made = ladder().with_links(drawn)
    row = made.links.iloc[-1]
    assert np.array(row.geometry.coords) == pytest.approx(np.array(bow), abs=1e-7)
    assert row["length_m"] == pytest.approx(GEOD.line_length(*np.array(bow).T), abs=0.01)
    assert "shape" not in made.links.columns
    away = table({"from": "B", "to": "D", "class": "national", "line": MIDDLE})
    with pytest.raises(TableError, match=r"its line ends \d+ m from its nodes"):
        ladder().with_links(away)


def test_one_way_links_have_one_direction() -> None:
    rows = [{"from": "B", "to": "D", "class": "national", "length_m": 6000, "oneway": True}]
    times = minutes(ladder().with_links(pd.DataFrame(rows)))
    assert times.loc["B", "D"] == 6
    assert times.loc["D", "B"] == 26


def test_tables_that_cannot_be_used() -> None:
    net = ladder()
    ends = {"from": "B", "to": "D"}
    good = {**ends, "class": "national"}
    for rows, kind, said in (
        ([], InputError, "the table has no row"),
        ([ends], TableError, "column 'class' is missing; found: from, to"),
        ([{**ends, "class": "motorway"}], UnknownNameError, "Unknown class 'motorway'"),
        ([{**ends, "class": None}], UnknownNameError, "Unknown class"),
        ([{"class": "national"}], InputError, "neither the columns from and to nor geometry"),
        ([{**good, "to": "E"}], UnknownNameError, "node 'E'.*Column to of with_links, row 2"),
        ([{**good, "to": "B"}], TableError, "leads from 'B' to itself"),
        ([{**good, "length_m": -1}], TableError, "length_m is -1; it must be above 0"),
        ([{**good, "length_m": "six"}], TableError, "length_m is 'six'; a finite number"),
        ([{**good, "id": "A-B"}], TableError, "row 2: id 'A-B' is taken"),
        ([{**good, "id": "x"}, {**good, "id": "x"}], TableError, "row 3: id 'x' is taken"),
    ):
        with pytest.raises(kind, match=said):
            net.with_links(pd.DataFrame(rows))
    lost = table({**good, "line": [(107.1, 27.0), (107.1, 27.05)]}, crs=None)
    with pytest.raises(CRSError, match="with_links has no coordinate reference system"):
        net.with_links(lost)


# -- drawn -----------------------------------------------------------------------------------


@pytest.mark.parametrize("crs", [4326, 32648, 4490])
def test_a_drawn_road_cuts_the_roads_at_its_ends(crs: int) -> None:
    net = ladder()
    made = net.with_links(table({**RUNG, "line": MIDDLE}).to_crs(crs))
    before, after = minutes(net), minutes(made)
    assert before.loc["B", "D"] == 26
    # half of each road, and 6 km of county road between
    assert after.loc["B", "D"] == pytest.approx(5 + 12 + 5, abs=0.001)
    for one, other, expected in (("A", "B", 10), ("C", "D", 10), ("A", "C", 6), ("B", "C", 16)):
        assert after.loc[one, other] == pytest.approx(expected, abs=2 / 60_000)
    # (107.05, 27) lies a metre beside: 5 to both ends of the road, 12 to the new road's other end
    spot = travel_times(made, (107.05, 27.0), modes=("road",)).iloc[0]
    assert spot[["A", "B"]].tolist() == pytest.approx([5, 5], abs=0.005)
    assert spot[["joint:C-D", "D"]].tolist() == pytest.approx([12, 17], abs=0.005)


def test_pieces_are_the_road_that_was_cut() -> None:
    net = ladder()
    made = net.with_links(table({**RUNG, "line": [(107.03, 27.0), (107.03, 27.05)]}))
    links = made.links.set_index("id")
    assert set(links.index) == {"A-C", "new-1", "A-B~1", "A-B~2", "C-D~1", "C-D~2"}
    assert links.loc["A-B~1", "length_m"] == pytest.approx(3000, abs=0.5)
    assert links.loc[["A-B~1", "A-B~2"], "length_m"].sum() == pytest.approx(10_000, abs=1e-6)
    assert links.loc["A-B~2", ["from", "to", "class"]].tolist() == ["joint:A-B", "B", "national"]
    joint = made.nodes.set_index("id").loc["joint:A-B"]
    assert (joint["kind"], joint["source"]) == ("junction", "接入点，由计算得出")
    assert (joint.geometry.x, joint.geometry.y) == pytest.approx((107.03, 27.0), abs=1e-5)


def test_a_bent_road_of_unstated_length_is_cut_where_the_new_road_meets_it() -> None:
    # 10 km to the east, then 20 km to the north; in degrees the legs are to each other as 1 to 1.8
    bend = [(107.0, 60.0), (107.18, 60.0), (107.18, 60.18)]
    nodes = [node("A", *bend[0]), node("B", *bend[2]), node("C", 107.4, 60.09)]
    rows = [link("A", "B", 1), link("B", "C", 30)]
    frame = pd.DataFrame([{**row, "length_m": None} for row in rows])
    shapes = [LineString(bend), LineString([bend[2], (107.4, 60.09)])]
    links = gpd.GeoDataFrame(frame, geometry=shapes, crs=4326)
    net = Network.from_tables(pd.DataFrame(nodes), links, profile=EDITING)
    whole = net.links.set_index("id").loc["A-B", "length_m"]
    made = net.with_links(table({"class": "national", "line": [(107.18, 60.09), (107.4, 60.09)]}))
    pieces = made.links.set_index("id").loc[["A-B~1", "A-B~2"]]
    assert pieces["length_m"].sum() == pytest.approx(whole, abs=0.01)
    upper = GEOD.line_length([107.18, 107.18], [60.09, 60.18])
    assert pieces.loc["A-B~2", "length_m"] == pytest.approx(upper, abs=1)
    first = np.array(pieces.geometry.iloc[0].coords)
    expected = np.array([bend[0], bend[1], (107.18, 60.09)])
    assert first == pytest.approx(expected, abs=2e-5)
    assert minutes(made).loc["A", "B"] == pytest.approx(minutes(net).loc["A", "B"], abs=2 / 60_000)


def test_pieces_lie_in_the_terrain_of_their_road() -> None:
    rule = TerrainRule(MappingProxyType({"national": 1.5}), MappingProxyType({"national": 0.5}))
    steep = replace(EDITING, terrain=MappingProxyType({"mountain": rule}))
    ends = [node("A", 107.0, 27.0), node("B", 107.1, 27.0), node("C", 107.05, 27.1)]
    rows = [{**link("A", "B", 1), "length_m": None}, link("B", "C", 99)]
    net = network([{**one, "terrain": "mountain"} for one in ends], rows)
    net = replace(net, profile=steep)
    made = net.with_links(table({"class": "county", "line": [(107.04, 27.0), (107.05, 27.1)]}))
    assert minutes(made).loc["A", "B"] == pytest.approx(minutes(net).loc["A", "B"], abs=2 / 60_000)


def test_pieces_of_a_one_way_road_are_one_way() -> None:
    net = ladder()
    rows = [link("A", "B", 10, oneway=1), link("C", "D", 10), link("A", "C", 6), link("B", "D", 6)]
    nodes = net.nodes.drop(columns="geometry").assign(
        lon=net.nodes.geometry.x, lat=net.nodes.geometry.y
    )
    net = Network.from_tables(nodes, pd.DataFrame(rows), profile=EDITING)
    times = minutes(net.with_links(table({**RUNG, "line": MIDDLE})))
    assert times.loc["A", "B"] == pytest.approx(10, abs=0.001)
    assert times.loc["B", "A"] == 22
    # from its middle one gets to A by the new road, half of C-D and A-C, not straight
    assert times.loc["joint:A-B", "A"] == pytest.approx(12 + 5 + 6, abs=0.001)


def test_pieces_are_open_in_the_years_of_their_road() -> None:
    nodes = [node("A", 107.0, 27.0), node("B", 107.1, 27.0), node("C", 107.05, 27.03)]
    rows = [link("A", "B", 10, open_year=2020), link("A", "C", 6, open_year=2015)]
    net = replace(network(nodes, rows, first_year=2015, last_year=2035), profile=EDITING)
    made = net.at(2022).with_links(table({**RUNG, "line": [(107.05, 27.0), (107.05, 27.03)]}))
    assert set(made.links["id"]) == {"A-C", "A-B~1", "A-B~2", "new-1"}
    assert set(made.at(2019).links["id"]) == {"A-C", "new-1"}
    assert set(made.without("A-B~1").links["id"]) == {"A-C", "A-B~2", "new-1"}


def test_where_a_line_ends_at_a_node_no_road_is_cut() -> None:
    net = ladder()
    # 55 m from B, and D exactly
    made = net.with_links(table({**RUNG, "line": [(107.1, 27.0005), (107.1, 27.05)]}))
    assert added_ids(made, net) == ["new-1"]
    assert made.links.iloc[-1][["from", "to"]].tolist() == ["B", "D"]
    assert minutes(made).loc["B", "D"] == 12


def test_two_lines_may_leave_a_road_at_one_place() -> None:
    rows = [{**RUNG, "line": MIDDLE}, {**RUNG, "line": [(107.05, 27.0), (107.08, 27.05)]}]
    made = ladder().with_links(table(*rows))
    assert [one for one in made.nodes["id"] if one.startswith("joint:A-B")] == ["joint:A-B"]
    times = minutes(made)
    assert times.loc["A", "B"] == pytest.approx(10, abs=0.001)
    assert times.loc["B", "D"] == pytest.approx(5 + 12 + 2, abs=0.001)


def test_a_second_scenario_cuts_the_pieces_of_the_first() -> None:
    first = ladder().with_links(table({**RUNG, "line": MIDDLE}))
    made = first.with_links(table({**RUNG, "line": [(107.02, 27.0), (107.02, 27.05)]}))
    assert "A-B~1~2" in set(made.links["id"])
    times = minutes(made)
    assert times.loc["A", "B"] == pytest.approx(10, abs=0.001)
    assert times.loc["B", "D"] == pytest.approx(22, abs=0.001)
    assert made.history == ("with_links(['新路'])", "with_links(['新路'])")


def test_what_no_line_can_be_made_of() -> None:
    net = ladder()
    halves = [[(107.05, 27.0), (107.05, 27.02)], [(107.05, 27.02), (107.05, 27.05)]]
    apart = [halves[0], [(107.05, 27.03), (107.05, 27.05)]]
    for shape, said in (
        (Point(107.05, 27), r"row 2 \(新路\): geometry is Point; one LineString is expected"),
        (None, "geometry is nothing"),
        (LineString(), "geometry is LineString"),
        (MultiLineString(apart), "geometry is MultiLineString"),
    ):
        with pytest.raises(InputError, match=said):
            net.with_links(table({**RUNG, "line": shape}))
    whole = net.with_links(table({**RUNG, "line": MultiLineString(halves)}))
    assert minutes(whole).loc["B", "D"] == pytest.approx(22, abs=0.001)
    with pytest.raises(CRSError, match="no coordinate reference system"):
        net.with_links(table({**RUNG, "line": MIDDLE}, crs=None))
    with pytest.raises(TableError, match="length_m is 'long'"):
        net.with_links(table({**RUNG, "length_m": "long", "line": MIDDLE}))


def test_ends_that_join_nothing() -> None:
    net = ladder()
    away = table({**RUNG, "line": [(107.05, 27.05), (107.05, 27.08)]})
    with pytest.raises(NetworkError, match=r"\(107\.0500, 27\.0800\) finds no road .* within 2 km"):
        net.with_links(away)
    with pytest.raises(NetworkError, match="both its ends join the network at one node"):
        net.with_links(away, join_m=4000)
    # 3.3 km from C-D: then it ends there
    bow = table({**RUNG, "line": [(107.05, 27.0), (107.05, 27.08)]})
    assert minutes(net.with_links(bow, join_m=4000)).loc["B", "D"] == pytest.approx(22, abs=0.001)


def test_drawn_railways_join_stations_not_roads() -> None:
    nodes = [node("A", 107.0, 27.0), node("B", 107.1, 27.0)]
    nodes += [node("S", 107.0, 27.01, "station"), node("T", 107.1, 27.01, "station")]
    rows = [link("A", "B", 10), link("A", "S", 1), link("B", "T", 1)]
    net = replace(network(nodes, rows), profile=EDITING)
    made = net.with_links(table({"class": "hsr", "line": [(107.0, 27.012), (107.1, 27.009)]}))
    assert made.links.iloc[-1][["mode", "from", "to"]].tolist() == ["rail", "S", "T"]
    with pytest.raises(NetworkError, match="finds no station within 2 km"):
        net.with_links(table({"class": "hsr", "line": [(107.0, 27.01), (107.05, 27.0)]}))


# -- expressways and interchanges ------------------------------------------------------------


def motorway() -> Network:
    """An expressway X-J-Y along 27.0 N whose middle J is no interchange, and roads beside it.

    The expressway takes 5 + 5 minutes; X and Y hang on the road A-B, a minute away each.
    """
    nodes = [
        node("X", 107.00, 27.00, "interchange", name="西互通"),
        node("J", 107.10, 27.00, "junction"),
        node("Y", 107.20, 27.00, "interchange", name="东互通"),
        node("A", 107.00, 27.01),
        node("B", 107.20, 27.01),
        node("Z", 107.10, 27.20, "interchange", name="北互通"),
        node("V", 107.12, 27.20),
    ]
    links = [
        link("X", "J", 10, "expressway"),
        link("J", "Y", 10, "expressway"),
        link("X", "A", 1),
        link("Y", "B", 1),
        link("A", "B", 40),
        link("Z", "V", 2),
        link("V", "B", 60),
    ]
    return replace(network(nodes, links), profile=EDITING)


def test_an_expressway_ends_at_interchanges_near_its_ends() -> None:
    # 1.1 km south of X; 1.6 km short of Z
    drawn = table({"class": "expressway", "line": [(107.0, 26.99), (107.1, 27.185)]})
    made = motorway().with_links(drawn)
    assert made.links.iloc[-1][["from", "to"]].tolist() == ["X", "Z"]
    # as drawn, from interchange to interchange
    path = np.array([(107.0, 27.0), (107.0, 26.99), (107.1, 27.185), (107.1, 27.2)])
    length = made.links.iloc[-1]["length_m"]
    assert length == pytest.approx(GEOD.line_length(*path.T), abs=0.1)
    assert minutes(made).loc["A", "V"] == pytest.approx(1 + length / 2000 + 2, abs=0.001)


def test_an_expressway_without_interchange_near_makes_one_on_a_road() -> None:
    net = motorway()
    drawn = table({"class": "expressway", "line": [(107.1, 27.02), (107.1, 27.2)]})
    made = net.with_links(drawn)
    joint = made.nodes.set_index("id").loc["joint:A-B"]
    assert joint["kind"] == "interchange"
    assert made.links.iloc[-1][["from", "to"]].tolist() == ["joint:A-B", "Z"]
    assert minutes(made).loc["A", "B"] == pytest.approx(minutes(net).loc["A", "B"], abs=1e-3)


def test_listed_interchanges_cut_the_line_by_name_and_by_id() -> None:
    net = motorway()
    line = [(107.0, 26.9), (107.0, 27.0), (107.1, 27.1), (107.1, 27.2)]
    for listed in ("西互通;Z", "X;北互通", ["X", "北互通"], " 西互通 ; Z ;"):
        drawn = table({"class": "expressway", "name": "新高速", "line": line, "interchanges": ""})
        drawn["interchanges"] = [listed]
        made = net.with_links(drawn.assign(length_m=33_000.0), join_m=15_000)
        rows = made.links[made.links["name"] == "新高速"]
        ends = [tuple(one) for one in rows[["from", "to"]].to_numpy()]
        assert ends[-1] == ("X", "Z")
        assert rows["length_m"].sum() == pytest.approx(33_000)
        assert "interchanges" not in made.links.columns


def test_a_line_between_two_listed_interchanges_and_a_third_in_its_middle() -> None:
    nodes = [
        node("P", 107.0, 27.0, "interchange", name="甲互通"),
        node("Q", 107.2, 27.01, "interchange", name="乙互通"),
        node("R", 107.4, 27.0, "interchange", name="丙互通"),
        node("W", 107.3, 27.0, "waypoint", name="弯"),
        *(node(name, 107.0 + 0.2 * place, 27.03) for place, name in enumerate("pqr")),
    ]
    links = [link("P", "p", 3), link("Q", "q", 2), link("R", "r", 3), link("p", "q", 40)]
    links += [link("q", "r", 40), link("P", "W", 99)]
    net = replace(network(nodes, links), profile=EDITING)
    row = {"class": "expressway", "id": "E", "name": "新高速", "length_m": 40_000.0}
    line = [(107.0, 27.0), (107.4, 27.0)]
    through = net.with_links(table({**row, "line": line}))
    stopping = net.with_links(table({**row, "line": line, "interchanges": "乙互通"}))
    # 3 + 20 + 3 along it; without the interchange Q is reached by P's road: 3 + 40
    assert minutes(through).loc["p", "r"] == minutes(stopping).loc["p", "r"] == 26
    assert minutes(through).loc["p", "q"] == 40
    assert minutes(stopping).loc["p", "q"] == pytest.approx(3 + 10 + 2, abs=0.01)
    assert added_ids(stopping, net) == ["E~1", "E~2"]
    assert added_ids(through, net) == ["E"]
    with pytest.raises(UnknownNameError, match=r"interchange '丁互通'.*新高速"):
        net.with_links(table({**row, "line": line, "interchanges": "丁互通"}))
    with pytest.raises(UnknownNameError, match="interchange '弯'"):
        net.with_links(table({**row, "line": line, "interchanges": "弯"}))
    with pytest.raises(NetworkError, match=r"'乙互通' lies 1\.1 km from the line; at most 1 km"):
        net.with_links(table({**row, "line": line, "interchanges": "乙互通"}), join_m=1000)


def test_a_short_line_keeps_its_ends_beside_a_listed_interchange() -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.02, 27.0),
        node("C", 107.0, 27.02),
        node("D", 107.02, 27.02),
        node("I", 107.01, 27.01, "interchange"),
        node("K", 107.2, 27.01, "interchange"),
    ]
    links = [link("A", "B", 2), link("C", "D", 2), link("A", "C", 9), link("I", "K", 20)]
    net = replace(network(nodes, links), profile=EDITING)
    line = [(107.01, 27.0), (107.01, 27.02)]
    row = {"class": "county", "length_m": 2200.0, "interchanges": "I;I", "line": line}
    times = minutes(net.with_links(table(row)))
    # a kilometre to the end of the line, 2.2 km of it at 30 km/h, a kilometre
    assert times.loc["B", "D"] == pytest.approx(1 + 4.4 + 1, abs=0.01)
    assert times.loc["B", "I"] == pytest.approx(1 + 2.2, abs=0.01)


def test_an_ordinary_road_never_ends_where_expressways_branch() -> None:
    net = motorway()
    # 55 m north of J; the road A-B is a kilometre away
    drawn = table({"class": "county", "line": [(107.1, 27.0005), (107.12, 27.2)]})
    made = net.with_links(drawn)
    assert made.links.iloc[-1][["from", "to"]].tolist() == ["joint:A-B", "V"]
    branch = table({"class": "expressway", "line": [(107.1, 27.0005), (107.1, 27.2)]})
    assert net.with_links(branch).links.iloc[-1][["from", "to"]].tolist() == ["J", "Z"]


def test_a_road_never_ends_at_a_track() -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.1, 27.0),
        node("k", 107.05, 27.0205, "junction"),
        node("l", 107.1, 27.03, "junction"),
    ]
    track = {**link("k", "l", 6, "hsr"), "mode": "rail"}
    net = replace(network(nodes, [link("A", "B", 10), track]), profile=EDITING)
    drawn = table({"class": "county", "line": [(107.0, 27.02), (107.05, 27.02)]})
    with pytest.raises(NetworkError, match="finds no road"):
        net.with_links(drawn)
    with pytest.raises(NetworkError, match="one node"):
        net.with_links(table({"class": "county", "line": [(107.0, 27.0005), (106.999, 27.0)]}))


# -- properties ------------------------------------------------------------------------------


def tangle(seed: int) -> tuple[Network, np.random.Generator]:
    """Make a small random network within 30 km, with one-ways and unstated lengths."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 9))
    spots = rng.uniform([107.0, 27.0], [107.3, 27.3], (count, 2))
    nodes = [node(str(k), *spot) for k, spot in enumerate(spots.tolist())]
    rows = []
    for number in range(int(rng.integers(count, 3 * count))):
        tail, head = (int(one) for one in rng.choice(count, 2, replace=False))
        stated = None if rng.random() < 0.5 else float(rng.uniform(40_000, 80_000))
        kind = str(rng.choice(["national", "county"]))
        row = {**link(str(tail), str(head), 1, kind, oneway=int(rng.random() < 0.3))}
        rows.append({**row, "id": str(number), "length_m": stated})
    return replace(network(nodes, rows), profile=EDITING), rng


def pieces(made: Network, net: Network) -> int:
    return len(added_ids(made, net))


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_a_new_link_never_lengthens_a_time(seed: int) -> None:
    net, rng = tangle(seed)
    before = minutes(net).to_numpy()
    n = len(before)
    tail, head = (str(one) for one in rng.choice(n, 2, replace=False))
    row = {"from": tail, "to": head, "class": "national", "length_m": float(rng.uniform(100, 9e4))}
    named = net.with_links(pd.DataFrame([row]))
    assert (minutes(named).to_numpy() <= before).all()
    line = LineString(rng.uniform([107.0, 27.0], [107.3, 27.3], (3, 2)))
    row = {"class": "national", "line": line, "oneway": bool(rng.random() < 0.5)}
    try:
        drawn = net.with_links(table(row), join_m=50_000)
    except NetworkError as error:
        assert "one node" in str(error)  # noqa: PT017
        return
    after = minutes(drawn).to_numpy()[:n, :n]
    assert (after <= before + pieces(drawn, net) / 60_000 + 1e-9).all()
    assert added_ids(drawn, net)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_cutting_changes_no_time_between_the_old_nodes(seed: int) -> None:
    net, rng = tangle(seed)
    before = minutes(net).to_numpy()
    n = len(before)
    line = LineString(rng.uniform([107.0, 27.0], [107.3, 27.3], (2, 2)))
    row = {"class": "county", "line": line, "length_m": 9e9}  # too long to be of use
    try:
        made = net.with_links(table(row), join_m=50_000)
    except NetworkError as error:
        assert "one node" in str(error)  # noqa: PT017
        return
    after = minutes(made).to_numpy()[:n, :n]
    reached = np.isfinite(before)
    apart = np.abs(after[reached] - before[reached])
    assert (apart <= pieces(made, net) / 60_000 + 1e-9).all()


# -- views -----------------------------------------------------------------------------------


def test_scenarios_fetch_no_coordinates_before_they_are_asked_for() -> None:
    whole = dated()
    drawn, fetched = whole._tables.lines, []

    def fetch() -> tuple[np.ndarray, np.ndarray]:
        fetched.append(1)
        return drawn.xy, drawn.offsets

    lazy = replace(whole, _tables=replace(whole._tables, lines=Lines.later(len(drawn), fetch)))
    more = pd.DataFrame([{"from": "A", "to": "C", "class": "national", "length_m": 900}])
    views = [
        lazy.at(2022).with_links("B-C").without("A-B"),
        lazy.scaled(0.5).with_links(more).at(2020),
    ]
    for view in views:
        assert minutes(view).loc["B", "C"] > 0
    assert not fetched
    assert views[0]._tables is lazy._tables
    assert len(views[1].links) == 2
    assert fetched == [1]
    assert len(lazy.links) == 3
    assert fetched == [1]


def test_a_network_is_unchanged_by_its_scenarios() -> None:
    net = square_grid(3)
    net = replace(net, profile=EDITING)
    digest, links = net.digest, net.links.copy()
    made = net.with_links(table({**RUNG, "line": [(107.005, 27.0), (107.005, 27.02)]}))
    assert net.digest == digest != made.digest
    pd.testing.assert_frame_equal(pd.DataFrame(net.links), pd.DataFrame(links))
    assert net.history == ()


def test_history_names_the_first_of_many() -> None:
    rows = [{"from": "B", "to": "D", "class": "national", "name": f"路{k}"} for k in range(5)]
    made = ladder(first_year=2015, last_year=2035).with_links(pd.DataFrame(rows)).scaled(0.9)
    assert made.history == ("with_links(['路0', '路1', '路2'] and 2 more)", "scaled(0.9)")
    assert made.describe()["history"] == list(made.history)


# -- another network's railway ---------------------------------------------------------------


def tracks(*, station: str = "S", lat: float = 26.99, **facts: Any) -> Network:
    """Two stations and a far one, trains every 20 minutes: S - T 10 minutes, T - U 10 more."""
    nodes = [
        node(station, 107.0, lat, "station", name="甲站"),
        node("T", 107.1, lat, "station", name="乙站"),
        node("U", 107.5, lat, "station", name="丙站"),
        node("field", 107.05, 27.2),
    ]
    rail = {**link(station, "T", 11, "hsr"), "id": "track", "mode": "rail"}
    own = link(station, "field", 50)
    trains = service("G1", [station, "T", "U"], [10, 10])
    later = service("G2", [station, "T"], [5], status="在建", planned_year=2030)
    rows = [own, {**rail, "length_m": None}]
    return replace(
        network(nodes, rows, [*trains, *later], first_year=2015, last_year=2035, **facts),
        profile=EDITING,
    )


def test_merged_stations_are_joined_to_the_nearest_road() -> None:
    roads, rail = ladder(attribution=("甲",)), tracks(attribution=("乙", "甲"))
    made = Network.merge(roads, rail)
    # S lies 1.1 km south of A, T as far from B; U is 40 km from any road
    km = GEOD.inv(107.0, 27.0, 107.0, 26.99)[2] / 1000
    assert minutes(made).loc["A", "S"] == pytest.approx(2 * km, abs=0.01)
    # G1 and G2 are every 20 minutes each: 5 of wait for whichever comes, 10 or 5 in it
    assert minutes(made, ("rail",)).loc["S", "T"] == 10 + 5 + 7.5 + 5
    # to B, and over its connector: enter 10, wait 10, ride 10, leave 5
    times = minutes(made, ("road", "rail"))
    assert times.loc["A", "U"] == pytest.approx(10 + 2 * km + 10 + 10 + 10 + 5, abs=0.01)
    assert made.report is not None
    assert made.report.kept == {"rail_links": 1, "stations": 3}
    assert made.report.snapping["snapped"] == 2
    assert made.report.snapping["unsnapped"] == 1
    assert made.report.snapping["max_m"] == pytest.approx(1000 * km, abs=1)
    assert "未挂接 1" in str(made.report)
    assert minutes(made).loc["A", "U"] == np.inf
    assert made.facts.attribution == ("甲", "乙")
    assert made.history == ("merge(纸面网, 纸面网)",)
    # the railway's own roads and places stay behind
    assert "field" not in set(made.nodes["id"])
    kinds = made.links.set_index("id")["class"]
    assert kinds.to_dict() == {
        "A-B": "national",
        "C-D": "national",
        "A-C": "national",
        "track": "hsr",
        "connector:S": "connector",
        "connector:T": "connector",
    }


def test_merging_keeps_what_both_views_hold_and_nothing_else() -> None:
    roads = ladder().without("A-C").scaled(0.5)
    made = Network.merge(roads, tracks().at(2022))
    assert "A-C" not in set(made.links["id"])
    assert set(made.services["service"]) == {"G1"}
    assert minutes(made).loc["A", "B"] == 20
    assert set(Network.merge(roads, tracks().at(2022).with_links("G2")).services["service"]) == {
        "G1",
        "G2",
    }
    assert set(Network.merge(roads, tracks().without("G1")).services["service"]) == {"G2"}


def test_ids_that_both_have_are_told_apart() -> None:
    roads = ladder()
    rail = tracks(station="A")
    rows = rail._tables.links.assign(id=["A-field", "A-B"])
    rail = replace(rail, _tables=replace(rail._tables, links=rows))
    made = Network.merge(roads, rail)
    assert set(made.services["station"]) == {"rail:A", "T", "U"}
    ids = made.links["id"].tolist()
    assert len(set(ids)) == len(ids)
    assert {"A-B", "rail:A-B", "connector:rail:A"} <= set(ids)
    twice = Network.merge(made, rail)
    assert twice.nodes["id"].is_unique
    assert twice.links["id"].is_unique
    assert set(twice.services["station"]) == {"rail:rail:A", "rail:T", "rail:U"}
    before, after = (minutes(one, ("road", "rail")) for one in (made, twice))
    assert after.loc["A", "B"] == before.loc["A", "B"]


def test_a_station_at_a_junction_is_joined_to_it() -> None:
    made = Network.merge(ladder(), tracks(lat=27.0))
    # its connector is a metre long: 2 thousandths of a minute
    assert minutes(made).loc["A", "S"] == pytest.approx(0.002, abs=1e-4)
    assert minutes(made, ("rail",)).loc["S", "U"] > 0
    net = tracks()
    again = Network.merge(net, net)
    # the connector leads from rail:S to S, where the road ends
    assert minutes(again).loc["S", "rail:S"] == pytest.approx(0.002, abs=1e-4)


def test_a_station_beside_a_road_cuts_it() -> None:
    made = Network.merge(ladder(), tracks(station="S", lat=27.051).without("G2"))
    assert {"connector:S", "connector:T"} <= set(made.links["id"])
    beside = tracks()
    moved = beside._tables.nodes.assign(lon=[107.04, 107.06, 107.5, 107.05])
    beside = replace(beside, _tables=replace(beside._tables, nodes=moved))
    cut = Network.merge(ladder(), beside)
    assert {"A-B~1", "A-B~2", "A-B~3"} <= set(cut.links["id"])
    assert minutes(cut).loc["A", "B"] == pytest.approx(10, abs=3 / 60_000)


def test_nothing_to_merge() -> None:
    with pytest.raises(NetworkError, match="neither a railway nor a service to merge"):
        Network.merge(ladder(), ladder())
    bare = tracks()
    only_rail = replace(bare, _link_state=np.array([-1, 0], dtype=np.int8))
    with pytest.raises(NetworkError, match="no road to merge a railway onto"):
        Network.merge(only_rail, tracks())
    with pytest.raises(InputError, match="a Network is expected"):
        Network.merge(ladder(), 2022)  # type: ignore[arg-type]


# -- a timetable -----------------------------------------------------------------------------


def feed(stops: list[dict[str, Any]], calls: list[dict[str, Any]], **least: float) -> Any:
    """Stand in for what the reader of timetables gives."""
    return SimpleNamespace(
        nodes=pd.DataFrame(stops).assign(kind="station", adcode="", source="表", precision_m=20.0),
        services=pd.DataFrame(calls).assign(status="已建成", cite="", source="表"),
        transfers=pd.DataFrame({"station": list(least), "minutes": list(least.values())}),
        report=IngestReport(source="表", kept={"services": 1}),
    )


def stop_at(key: str, lon: float, lat: float, name: str) -> dict[str, Any]:
    return {"id": key, "name": name, "lon": lon, "lat": lat}


def city() -> Network:
    """A station with a road and one without, on a road of 10 km; trains G1 that a feed replaces."""
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.1, 27.0),
        node("S", 107.0, 27.01, "station", name="甲"),
        node("T", 107.1, 27.01, "station", name="乙"),
    ]
    rows = [link("A", "B", 10), link("A", "S", 1)]
    return replace(network(nodes, rows, service("G1", ["S", "T"], [50])), profile=EDITING)


def run(*stops: str, **more: Any) -> list[dict[str, Any]]:
    return service("M1", list(stops), [4.0] * (len(stops) - 1), **{"class": "metro", **more})


def test_stops_take_the_place_of_stations_by_name_and_by_nearness() -> None:
    net = city()
    stops = [
        stop_at("1", 107.004, 27.01, "甲站"),  # 400 m from S, of its name
        stop_at("2", 107.1, 27.011, "Second"),  # 110 m from T, of another
        stop_at("3", 107.05, 27.002, "丙"),  # new, 220 m from the road
    ]
    made = timetabled(net, feed(stops, run("1", "2", "3")), "with_services(x)", 500.0)
    assert made.services["station"].tolist() == ["S", "T", "3"]
    assert set(made.services["service"]) == {"M1"}
    assert made.nodes["id"].tolist()[:5] == ["A", "B", "S", "T", "3"]
    assert net.services["service"].tolist() == ["G1", "G1"]
    # T had no road and has one now, as has the new station
    assert {"connector:T", "connector:3"} <= set(made.links["id"])
    assert made.report is not None
    assert (made.report.kept["services"], made.report.snapping["snapped"]) == (1, 2)
    assert made.history == ("with_services(x)",)
    # enter 3, wait 5 (capped), 4 to T, dwell 2, 4 to the new one, leave 2
    assert minutes(made, ("rail",)).loc["S", "3"] == 3 + 5 + 4 + 2 + 4 + 2
    times = minutes(made, ("road", "rail"))
    metres = GEOD.inv(107.05, 27.0, 107.05, 27.002)[2]
    assert times.loc["B", "3"] == pytest.approx(5 + 2 * metres / 1000, abs=0.01)


def test_stops_too_far_or_of_another_name_are_stations_of_their_own() -> None:
    stops = [
        stop_at("S", 107.006, 27.01, "甲"),  # 600 m off, and its id is a node's already
        stop_at("2", 107.1, 27.012, "别处"),  # 220 m from T
        stop_at("3", 107.3, 27.3, ""),  # far from every road
    ]
    made = timetabled(city(), feed(stops, run("S", "2", "3")), "step", 500.0)
    assert made.services["station"].tolist() == ["stop:S", "2", "3"]
    assert made.report is not None
    assert made.report.snapping["unsnapped"] == 1
    with_none = timetabled(city(), feed(stops, run("S", "2", "3")), "step", 1000.0)
    assert with_none.services["station"].tolist() == ["S", "2", "3"]


def test_two_stops_of_one_station_are_one_call() -> None:
    stops = [
        stop_at("1", 107.0, 27.0101, "甲站"),
        stop_at("1b", 107.0, 27.0102, "甲站"),  # another platform of the same station
        stop_at("2", 107.1, 27.011, "乙站"),
    ]
    made = timetabled(city(), feed(stops, run("1", "1b", "2")), "with_services(x)", 500.0)
    assert made.services["station"].tolist() == ["S", "T"]
    assert made.services["seq"].tolist() == [1, 2]
    assert made.report is not None
    assert made.report.repaired["call_same_station"] == 1
    # what was ridden between the platforms is a longer stand at the first
    assert minutes(made, ("rail",)).loc["S", "T"] == 3 + 5 + 4 + 2
    nowhere = timetabled(
        city(),
        feed(stops, [*run("1", "1b"), *run("1", "2", service="M2")]),
        "with_services(x)",
        500.0,
    )
    assert set(nowhere.services["service"]) == {"M2"}


def test_stops_without_name_are_no_namesakes() -> None:
    net = city()
    nodes = net._tables.nodes.assign(name="")
    net = replace(net, _tables=replace(net._tables, nodes=nodes))
    stops = [stop_at("1", 107.004, 27.01, ""), stop_at("2", 107.1, 27.0105, "")]
    made = timetabled(net, feed(stops, run("1", "2")), "step", 500.0)
    assert made.services["station"].tolist() == ["1", "T"]


def test_least_times_to_change_are_respected() -> None:
    stops = [
        stop_at(name, 107.0 + 0.05 * place, 27.01, name) for place, name in enumerate("甲中乙")
    ]
    calls = [
        *run("甲", "中"),
        *({**row, "service": "M2", "name": "M2"} for row in run("中", "乙")),
    ]
    # from 5 on one could as well leave and enter again
    for least, change in (({}, 1.0), ({"中": 4.5}, 4.5), ({"中": 0.2}, 1.0)):
        made = timetabled(city(), feed(stops, calls, **least), "step", 500.0)
        # enter 3, wait 5, ride 4, change, wait 5, ride 4, leave 2
        expected = 3 + 5 + 4 + change + 5 + 4 + 2
        assert minutes(made, ("rail",)).loc["S", "T"] == pytest.approx(expected)


def test_a_feed_that_stays_at_one_station_is_refused() -> None:
    stops = [stop_at("1", 107.0, 27.01, "甲"), stop_at("2", 107.0, 27.0101, "甲")]
    with pytest.raises(NetworkError, match="leaves no service of the feed"):
        timetabled(city(), feed(stops, run("1", "2")), "step", 500.0)


def test_a_feed_is_read_and_told(tmp_path: Path) -> None:
    tables = line_feed([425, 435, 445, 455])
    tables["stops"] = [stop(name, 107.0 + place / 30, 27.01) for place, name in enumerate("ABCD")]
    net = city().with_services(write_zip(tmp_path / "feed.zip", tables), date="2026-03-03")
    assert net.history == ("with_services(feed.zip, 07:00-09:00)",)
    assert net.report is not None
    assert "2026-03-03" in net.report.source
    assert len(set(net.services["station"])) == 4
    # S is the stop A: enter 3, wait 5, 4 to B, a minute's dwell, 4 to C, leave 2
    assert minutes(net, ("rail",)).loc["S", "C"] == 3 + 5 + 4 + 1 + 4 + 2
    with pytest.raises(InputError):
        city().with_services(tmp_path / "none.zip")


def test_facts_of_a_merged_network_are_those_of_its_roads() -> None:
    roads = replace(ladder(), facts=Facts(title="路"))
    made = Network.merge(roads, replace(tracks(), facts=Facts(title="轨", schematic=True)))
    assert made.facts.title == "路＋轨的铁路"
    assert made.is_schematic
    assert made.profile is roads.profile
