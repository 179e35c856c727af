"""What depends on which road: closed links and projects, by hand and by networkx."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from grids import link, network, node, service
from shapely.geometry import Point

from urbangeo.access.critical import critical_links, rank_projects
from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network import Network


def spots(net: Network, names: list[str], **columns: list[object]) -> gpd.GeoDataFrame:
    nodes = net.nodes.set_index("id").loc[names]
    return gpd.GeoDataFrame({"name": names, **columns}, geometry=list(nodes.geometry), crs=4326)


def ring() -> Network:
    """A square A B C D of 10-minute roads; E hangs on A by a road of 5."""
    at = {"A": (107, 27), "B": (107.1, 27), "C": (107.1, 27.1), "D": (107, 27.1), "E": (106.9, 27)}
    nodes = [node(name, *where, "junction" if name in "BD" else "place")
             for name, where in at.items()]  # fmt: skip
    return network(nodes, [link("A", "B", 10), link("B", "C", 10), link("C", "D", 10),
                           link("D", "A", 10), link("E", "A", 5)])  # fmt: skip


# -- by hand ------------------------------------------------------------------------------------


def test_closing_a_side_of_a_ring_sends_everybody_round() -> None:
    net = ring()
    places = spots(net, ["A", "B", "E"], people=[1, 10, 100])
    found = critical_links(net, places, population="people").set_index("id")
    assert len(found) == 5
    # without A-B: A and B are 30 apart instead of 10, E and B 35 instead of 15
    row = found.loc["A-B"]
    assert (row["pairs"], row["lost"], row["worst_min"]) == (4, 0, 20)
    assert row["added_min"] == pytest.approx(20 * (1 + 10 + 100 + 10))
    # without E-A nobody gets to E or away, not even by the grace of a detour
    row = found.loc["E-A"]
    assert (row["pairs"], row["lost"], row["lost_people"]) == (4, 4, 1 + 10 + 2 * 100)
    assert np.isinf(row["worst_min"])
    assert found.loc[["B-C", "C-D", "D-A"], ["pairs", "added_min"]].to_numpy().sum() == 0
    assert found["rank"].to_dict() == {"E-A": 1, "A-B": 2, "B-C": 3, "C-D": 4, "D-A": 5}
    assert found.attrs["pairs"] == 6
    assert found.attrs["unreached"] == 0
    assert found.attrs["network"]["digest"] == net.digest
    assert found.crs == "EPSG:4326"


def test_with_a_cutoff_a_pair_is_lost_when_it_needs_longer() -> None:
    net = ring()
    places = spots(net, ["A", "B", "E"])
    found = critical_links(net, places, links=["A-B"], cutoff=30).iloc[0]
    assert (found["pairs"], found["lost"]) == (4, 2)  # A and B 30 apart, still within
    found = critical_links(net, places, links=["A-B"], cutoff=10).iloc[0]
    assert (found["pairs"], found["lost"]) == (2, 2)  # E and B were beyond it anyway


def test_services_may_be_closed_too() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 108, 27, "station")]
    trains = service("G", ["S", "T"], [30]) + service("D", ["S", "T"], [50], headway_min=60)
    net = network(nodes, [link("S", "T", 90)], trains)
    found = critical_links(net, spots(net, ["S", "T"]), links=["G", "S-T"]).set_index("id")
    # G alone: 10 + 10 + 30 + 5 = 55; D alone: 10 + 15 + 50 + 5 = 80
    assert found.loc["G", "added_min"] == pytest.approx(2 * 25)
    assert found.loc["G", "mode"] == "rail"
    assert found.loc["S-T", "added_min"] == 0


def test_origins_that_have_no_way_are_counted() -> None:
    net = ring()
    far = gpd.GeoDataFrame({"name": ["far"]}, geometry=[Point(107.05, 27.5)], crs=4326)
    found = critical_links(net, pd.concat([spots(net, ["A"]), far]), spots(net, ["B", "C"]))
    assert (found.attrs["pairs"], found.attrs["unreached"]) == (4, 2)


@pytest.mark.parametrize(
    ("more", "error", "told"),
    [
        ({"links": ["A-X"]}, UnknownNameError, "road link or service 'A-X'"),
        ({"links": []}, InputError, "links: none given"),
        ({"cutoff": 0}, InputError, "cutoff is 0"),
        ({"population": "folk"}, InputError, "'folk', which is no column"),
        ({"population": "minus"}, InputError, "1 place.s. have no usable value; the first, A"),
        ({"population": pd.Series([1.0], index=[0])}, InputError, "lacks 1"),
        ({"links": ["r"]}, NetworkError, "'r' is a piece of railway"),
    ],
)
def test_what_cannot_be_used_is_named(
    more: dict[str, object], error: type[Exception], told: str
) -> None:
    nodes = [node("A", 107, 27, "station"), node("B", 107.1, 27, "station")]
    rail = {**link("A", "B", 9, "hsr", id="r"), "mode": "rail"}
    net = network(nodes, [link("A", "B", 10), rail])
    with pytest.raises(error, match=told):
        critical_links(net, spots(net, ["A", "B"], minus=[-1, 2]), **more)  # type: ignore[arg-type]


def test_a_way_back_over_the_closed_one_way_road_is_no_way_round() -> None:
    """The node that the detour enters by would itself travel over the closed road.

    From I one gets to J by U -> V only, or by the loop Y. Y's own fastest way to J leads back to U
    and over U -> V; without that it has to take its long road.
    """
    at = {"I": 0.0, "U": 1.0, "V": 2.0, "J": 3.0, "Y": 2.5}
    nodes = [node(name, 100 + x, 27 + (0.5 if name == "Y" else 0)) for name, x in at.items()]
    roads = [
        ("I", "U", 100), ("U", "V", 110), ("V", "J", 300), ("V", "Y", 120), ("Y", "U", 105),
        ("U", "Y", 900), ("Y", "J", 2000),
    ]  # fmt: skip
    net = network(nodes, [link(a, b, km, oneway=1) for a, b, km in roads])
    places = spots(net, ["I", "J"])
    found = critical_links(net, places.iloc[:1], places.iloc[1:]).set_index("id")
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([one for one in roads if one[:2] != ("U", "V")])
    without = nx.dijkstra_path_length(graph, "I", "J")
    assert without == 3000
    assert found.loc["U-V", "added_min"] == pytest.approx(3000 - 510)


# -- projects -----------------------------------------------------------------------------------


def planned() -> tuple[Network, Network]:
    """A town 90 minutes off; two planned roads, either of which brings it to 50 or 40.

    A third one needs the second.
    """
    nodes = [node(name, 107 + x, 27) for name, x in
             (("C", 0), ("T", 0.4), ("M", 0.2), ("F", 0.6))]  # fmt: skip
    more = {"status": "在建", "planned_year": 2025, "open_year": None}
    roads = [
        link("C", "T", 90, open_year=2010),
        link("T", "F", 90, open_year=2010),
        link("C", "T", 50, "expressway", id="one", name="一号高速", length_m=100_000, **more),
        link("C", "M", 20, id="two-1", name="二号路", **more),
        link("M", "T", 20, id="two-2", name="二号路", **more),
        link("M", "F", 30, id="three", name="三号路", cite="p:1", **more),
    ]
    net = network(nodes, roads)
    return net.at(2022), net.at(2025)


def test_projects_by_what_each_adds_alone_and_what_is_lost_without_it() -> None:
    before, after = planned()
    towns = spots(after, ["T", "F"], people=[100, 7])
    # before: T 90, F 180. One alone: T 50, F 140. Two alone: T 40, F 130. Three alone: M hangs
    # on F only, so nothing. All: T 40, F 50.
    found = rank_projects(after, (107.0, 27.0), 60, before=before,
                          places=towns, population="people").set_index("project")  # fmt: skip
    assert found.index.tolist() == ["二号路", "一号高速", "三号路（p:1）"]
    assert found["gained"].tolist() == ["T", "T", ""]
    assert found["gained_people"].tolist() == [100, 100, 0]
    assert found["saved_min"].to_numpy() == pytest.approx([50 * 107, 40 * 107, 0])
    # without two: T 50 by one, F 140; without one: nothing is worse; without three: F 130
    assert found["lost"].tolist() == ["F", "", "F"]
    assert found["lost_people"].tolist() == [7, 0, 7]
    assert found["missed_min"].to_numpy() == pytest.approx([10 * 100 + 90 * 7, 0, 80 * 7])
    assert found["links"].tolist() == [2, 1, 1]
    assert found["rank"].tolist() == [1, 2, 3]


def test_without_a_network_before_what_is_planned_is_left_out() -> None:
    before, after = planned()
    towns = spots(after, ["T", "F"])
    one = rank_projects(after, (107.0, 27.0), places=towns)
    other = rank_projects(after, (107.0, 27.0), places=towns, before=before)
    pd.testing.assert_frame_equal(one, other)
    with pytest.raises(InputError, match="holds nothing of the projects that is not built"):
        rank_projects(before, (107.0, 27.0), places=towns)


def test_a_table_of_projects_groups_as_it_says() -> None:
    before, after = planned()
    table = pd.DataFrame({"project": ["west", "rest"], "ids": ["one|two-1|two-2", ["three"]]})
    found = rank_projects(after, (107.0, 27.0), places=spots(after, ["T", "F"]), before=before,
                          projects=table).set_index("project")  # fmt: skip
    assert found.index.tolist() == ["west", "rest"]
    assert found["lost"].tolist() == ["T、F", "F"]
    assert found["title"].tolist() == ["二号路、一号高速", "三号路"]


def test_networks_of_different_tables_have_no_projects_in_common() -> None:
    _, after = planned()
    with pytest.raises(InputError, match="not made of the same tables"):
        rank_projects(after, (107.0, 27.0), places=spots(after, ["T"]), before=ring())


def test_a_network_without_plans_has_nothing_to_rank() -> None:
    net = ring()
    with pytest.raises(InputError, match="no planned link or service"):
        rank_projects(net, (107.0, 27.0), places=spots(net, ["A"]))
