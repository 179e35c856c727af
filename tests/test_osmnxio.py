"""Street graphs of OSMnx: what becomes of edges, and that nothing is lost on the way and back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point

from urbangeo.errors import CRSError, InputError, NetworkError, TableError
from urbangeo.network.osmnxio import OsmnxTables, from_osmnx, to_networkx

A, B, C, D = (106.70, 26.60), (106.71, 26.60), (106.72, 26.60), (106.72, 26.61)
BEND = (106.705, 26.605)
# a hundredth of a degree of longitude at 26.6 N: 1113.195 m on the equator, times the cosine of
# 0.89415 and, since the ellipsoid is wider there than a sphere, 1.00067
HUNDREDTH_M = 1113.195 * 0.89415 * 1.00067


def street_graph(*edges: tuple[Any, Any, dict[str, Any]], **more: Any) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(**{"crs": "epsg:4326", **more})
    for node, (x, y) in zip((1, 2, 3, 4), (A, B, C, D), strict=True):
        graph.add_node(node, x=x, y=y, street_count=2)
    for one, other, held in edges:
        graph.add_edge(one, other, **held)
    return graph


def both_ways(one: int, other: int, **held: Any) -> list[tuple[int, int, dict[str, Any]]]:
    """Two edges as OSMnx makes them of a two-way street."""
    back = {**held, "reversed": True}
    if "geometry" in held:
        back["geometry"] = held["geometry"].reverse()
    common = {"osmid": 7, "highway": "residential", "oneway": False}
    return [
        (one, other, {**common, "reversed": False, **held}),
        (other, one, {**common, **back}),
    ]


def back_again(made: OsmnxTables) -> nx.MultiDiGraph:
    return to_networkx(
        made.nodes,
        made.links,
        made.tail,
        made.head,
        made.xy,
        made.offsets,
        services=made.services,
        graph=made.graph,
    )


def assert_kept(one: nx.MultiDiGraph, other: nx.MultiDiGraph) -> None:
    """Check that all nodes, edges and attributes of one graph are in the other, equal."""
    for node, held in one.nodes(data=True):
        assert {name: other.nodes[node][name] for name in held} == held
    assert other.number_of_edges() == one.number_of_edges()
    for tail, head, key, held in one.edges(keys=True, data=True):
        theirs = other[tail][head][key]
        assert {name: theirs[name] for name in held} == held
    for name, value in one.graph.items():
        assert other.graph[name] == value or name == "crs"


def test_edges_that_mirror_each_other_are_one_link() -> None:
    bent = LineString([A, BEND, B])
    made = from_osmnx(
        street_graph(
            *both_ways(1, 2, length=1700.0, geometry=bent, name="中华路", maxspeed="40"),
            (
                2,
                3,
                {"osmid": 8, "highway": "primary", "oneway": True, "length": 995.0, "ref": "S1"},
            ),
        )
    )
    assert made.links["oneway"].tolist() == [False, True]
    assert made.links["length_m"].tolist() == [1700.0, 995.0]
    assert made.links["class"].tolist() == ["urban", "provincial"]
    assert made.links["mode"].tolist() == ["road", "road"]
    assert made.links["speed_kmh"].tolist()[0] == 40
    assert np.isnan(made.links["speed_kmh"][1])
    assert made.links["name"].tolist() == ["中华路", ""]
    assert made.links["ref"].tolist() == ["", "S1"]
    assert made.links["id"].tolist() == ["1-2-0", "2-3-0"]
    assert made.links["osmid"].tolist() == [7, 8]
    assert made.tail.tolist() == [0, 1]
    assert made.head.tolist() == [1, 2]
    assert made.offsets.tolist() == [0, 3, 5]
    assert made.xy.tolist() == [list(one) for one in (A, BEND, B, B, C)]
    assert made.nodes["id"].tolist() == ["1", "2", "3", "4"]
    assert made.nodes["osmnx_id"].tolist() == [1, 2, 3, 4]
    assert made.nodes["street_count"].tolist() == [2] * 4
    # 3 can be reached but not left, 4 is touched by nothing
    assert made.nodes["component"].tolist() == [0, 0, 1, -1]
    assert made.report.read == {"nodes": 4, "edges": 3}
    assert made.report.kept == {"nodes": 4, "road_links": 2, "rail_links": 0}
    assert made.report.noted == {"merged_edges": 1}
    assert made.report.assumed == {"primary": 1}
    assert made.report.components == (2, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"maxspeed": "60"},
        {"name": "其他路"},
        {"length": 1100.0},
        {"grade": 0.1},
        {"geometry": LineString([B, BEND, A])},
        {"lanes": ["1", "3"]},
        {"lanes": ["1", "2", "2"]},
        {"weights": np.array([1, 2])},
    ],
)
def test_edges_that_differ_stay_two(change: dict[str, Any]) -> None:
    there, back = both_ways(1, 2, length=1000.0, maxspeed="40", lanes=["2", "1"])
    there[2]["weights"] = back[2]["weights"] = np.array([1, 2])
    if "weights" not in change:
        del there[2]["weights"], back[2]["weights"]
    back[2].update(change)
    made = from_osmnx(street_graph(there, back))
    assert made.links["oneway"].tolist() == [True, True]


def test_the_order_of_what_osmnx_made_of_a_set_means_nothing() -> None:
    # which of the two orders a simplified graph has hangs on the seed of Python's hashes
    there, back = both_ways(1, 2, length=1000.0, lanes=["2", "1"], osmid=[7, 8])
    back[2].update(lanes=["1", "2"], osmid=[8, 7])
    graph = street_graph(there, back)
    made = from_osmnx(graph)
    assert made.links["oneway"].tolist() == [False]
    assert_kept(graph, back_again(made))


def test_the_last_digits_of_a_length_may_differ() -> None:
    there, back = both_ways(1, 2, length=227.80034865134115)
    back[2]["length"] = 227.80034865134112
    graph = street_graph(there, back)
    made = from_osmnx(graph)
    assert made.links["oneway"].tolist() == [False]
    assert_kept(graph, back_again(made))


def test_an_edge_leads_one_way_whatever_the_way_says() -> None:
    # clipped: the way back is not in the graph
    there, _ = both_ways(1, 2, length=1000.0)
    graph = street_graph(there)
    made = from_osmnx(graph)
    assert made.links["oneway"].tolist() == [True]
    assert_kept(graph, back_again(made))


def test_parallel_edges_find_their_own_twins() -> None:
    bent = LineString([A, BEND, B])
    graph = street_graph(
        *both_ways(1, 2, length=1000.0), *both_ways(1, 2, length=1700.0, geometry=bent)
    )
    made = from_osmnx(graph)
    assert made.links["length_m"].tolist() == [1000.0, 1700.0]
    assert made.links["oneway"].tolist() == [False, False]
    assert_kept(graph, back_again(made))


def test_lists_and_limits() -> None:
    made = from_osmnx(
        street_graph(
            (
                1,
                2,
                {"highway": ["primary", "residential"], "maxspeed": ["60", "40"], "length": 995},
            ),
            (2, 3, {"highway": "motorway", "maxspeed": "CN:motorway", "length": 995}),
            (3, 4, {"highway": "service", "maxspeed": "abc", "length": 1108}),
            (4, 3, {"highway": "trunk", "speed_kph": 72.5, "maxspeed": "80", "length": 1108}),
            (2, 1, {"highway": "tertiary", "name": ["甲路", "乙路"], "length": 995}),
        )
    )
    links = made.links.set_index("id")
    # of a list the least kind of road and the lowest limit; a service road without a limit 20
    assert links["class"].to_dict() == {
        "1-2-0": "urban",
        "2-3-0": "expressway",
        "3-4-0": "connector",
        "4-3-0": "national",
        "2-1-0": "county",
    }
    limits = {"1-2-0": 40.0, "2-3-0": 120.0, "3-4-0": 20.0, "4-3-0": 72.5}
    assert links["speed_kmh"].dropna().to_dict() == limits
    assert links["name"]["2-1-0"] == "甲路;乙路"
    assert made.report.repaired == {"maxspeed_unreadable": 1}
    assert made.report.noted == {"highway_list": 1, "maxspeed_list": 1, "speed_kph": 1}
    assert made.report.assumed == {"service": 1, "tertiary": 1}
    # an expressway meets other roads at both its ends
    assert made.nodes["kind"].tolist() == ["junction", "interchange", "interchange", "junction"]


def test_what_no_car_can_use_is_left_out() -> None:
    made = from_osmnx(
        street_graph(
            (1, 2, {"highway": "footway", "length": 995}),
            (1, 2, {"highway": ["cycleway", "residential"], "length": 995}),
            (1, 2, {"landuse": "forest", "length": 995}),
            (2, 3, {"highway": "residential", "length": 995}),
            (3, 4, {"railway": "rail", "maxspeed": "250", "length": 1108}),
            (3, 4, {"railway": "platform", "length": 1108}),
        )
    )
    assert made.links["class"].tolist() == ["urban", "hsr"]
    assert made.links["mode"].tolist() == ["road", "rail"]
    assert made.report.dropped == {"not_for_cars": 2, "no_way": 1, "no_track": 1}
    with pytest.raises(NetworkError, match=r"edges read: 1, left out: \{'not_for_cars': 1\}"):
        from_osmnx(street_graph((1, 2, {"highway": "footway"})))
    with pytest.raises(NetworkError, match="edges read: 0"):
        from_osmnx(street_graph())


def test_a_graph_without_any_class_is_of_ordinary_roads() -> None:
    made = from_osmnx(street_graph((1, 2, {"length": 995.0})))
    assert made.links["class"].tolist() == ["county"]
    assert made.report.noted == {"class_unknown": 1}


def test_missing_lengths_are_measured() -> None:
    made = from_osmnx(
        street_graph(
            (1, 2, {"highway": "primary"}),
            (2, 3, {"highway": "primary", "length": "long"}),
            (3, 2, {"highway": "primary", "length": -5}),
            (1, 3, {"highway": "primary", "length": "1990.5"}),
        )
    )
    length = made.links.set_index("id")["length_m"]
    assert length["1-3-0"] == 1990.5
    assert length.drop("1-3-0").tolist() == pytest.approx([HUNDREDTH_M] * 3, rel=1e-4)
    assert made.report.repaired == {"length_missing": 1, "length_unreadable": 2}


def test_edges_without_length_get_a_centimetre() -> None:
    graph = street_graph((1, 5, {"highway": "primary"}))
    graph.add_node(5, x=A[0], y=A[1])
    # another node at the same place: nothing to measure
    assert from_osmnx(graph).links["length_m"].tolist() == [0.01]


def test_rings_are_cut_and_made_whole_again() -> None:
    ring = LineString([A, (106.70, 26.61), (106.71, 26.61), (106.71, 26.60), A])
    graph = street_graph(
        *both_ways(1, 1, length=4200.0, geometry=ring, name=["环一", "环二"]),
        *both_ways(1, 2, length=1000.0),
        (2, 2, {"highway": "residential", "length": 0.0}),
        (3, 3, {"highway": "residential", "geometry": LineString([C, C]), "length": 10.0}),
    )
    made = from_osmnx(graph)
    assert made.links["id"].tolist() == ["1-1-0.1", "1-1-0.2", "1-2-0"]
    assert made.links["ring"].tolist() == ["1-1-0", "1-1-0", ""]
    assert made.links["length_m"].sum() == pytest.approx(5200)
    assert made.nodes["id"].tolist() == ["1", "2", "3", "4", "1-1-0~"]
    assert made.nodes["kind"].tolist()[4] == "waypoint"
    # half of the way round is the far corner
    assert made.nodes[["lon", "lat"]].to_numpy()[4].tolist() == [106.71, 26.61]
    assert made.tail.tolist() == [0, 4, 0]
    assert made.head.tolist() == [4, 0, 1]
    assert made.report.repaired == {"rings": 1}
    assert made.report.dropped == {"self_loops": 2}
    graph.remove_edge(2, 2)
    graph.remove_edge(3, 3)
    again = back_again(made)
    assert_kept(graph, again)
    second = from_osmnx(again)
    pd.testing.assert_frame_equal(made.links, second.links[made.links.columns.tolist()])
    pd.testing.assert_frame_equal(made.nodes, second.nodes)


def test_a_one_way_ring() -> None:
    ring = LineString([A, BEND, B, A])
    graph = street_graph((1, 1, {"highway": "service", "length": 2700.0, "geometry": ring}))
    made = from_osmnx(graph)
    assert made.links["oneway"].tolist() == [True, True]
    assert_kept(graph, back_again(made))


def test_everything_comes_back() -> None:
    graph = street_graph(
        *both_ways(1, 2, length=1000.0, name="甲路", lanes=["1", "2"], ref=["S1", "S2"]),
        *both_ways(2, 3, length=995.0, osmid=[1, 2], bridge="yes", width=3.5, source="survey"),
        (3, 4, {"osmid": 3, "highway": "primary", "oneway": True, "length": 1108.0, "id": "x"}),
        created_with="OSMnx 2",
        simplified=True,
    )
    graph.nodes[2].update(highway="traffic_signals", name="路口", lon=1.0)
    graph.nodes[3]["ref"] = ["3", "4"]
    made = from_osmnx(graph)
    again = back_again(made)
    # the names that a network has for its own come back with a prefix
    for tail, head, key in list(graph.edges(keys=True)):
        held = graph[tail][head][key]
        for name in ("source", "id"):
            if name in held:
                held[f"osmnx_{name}"] = held.pop(name)
    graph.nodes[2]["osmnx_lon"] = graph.nodes[2].pop("lon")
    assert_kept(graph, again)
    second = from_osmnx(again)
    columns = made.links.columns.tolist()
    pd.testing.assert_frame_equal(made.links, second.links[columns])
    assert set(second.links.columns) == set(columns)
    pd.testing.assert_frame_equal(made.nodes, second.nodes[made.nodes.columns.tolist()])
    assert_kept(again, back_again(second))


def test_a_network_of_our_own_comes_back() -> None:
    nodes = pd.DataFrame(
        {
            "id": ["贵阳", "龙里", "S"],
            "kind": ["place", "interchange", "station"],
            "name": ["贵阳", "", "贵阳北"],
            "adcode": ["520100", "", ""],
            "source": ["s", "s", ""],
            "precision_m": [100.0, np.nan, 5.0],
            "lon": [106.7, 106.9, 106.67],
            "lat": [26.6, 26.4, 26.62],
            "terrain": ["", "hill", ""],
        }
    )
    links = pd.DataFrame(
        {
            "id": ["G60-1", "R-1"],
            "mode": ["road", "rail"],
            "class": ["expressway", "hsr"],
            "ref": ["G60", ""],
            "name": ["沪昆高速", "沪昆高铁"],
            "length_m": [31000.0, 20000.0],
            "speed_kmh": [100.0, np.nan],
            "oneway": [False, True],
            "status": ["已建成", "在建"],
            "open_year": [2007.0, np.nan],
            "planned_year": [np.nan, 2027.0],
            "cite": ["", "专栏3"],
            "source": ["known", "known"],
            "precision_m": [200.0, np.nan],
            "note": ["", "x"],
        }
    )
    services = pd.DataFrame({"service": ["K1", "K1"], "seq": [1, 2], "run_min": [np.nan, 9.0]})
    xy = np.array([[106.7, 26.6], [106.8, 26.55], [106.9, 26.4], [106.9, 26.4], [106.67, 26.62]])
    tail, head = np.array([0, 1]), np.array([1, 2])
    offsets = np.array([0, 3, 5])
    graph = to_networkx(
        nodes,
        links,
        tail,
        head,
        xy,
        offsets,
        services=services,
        minutes=np.array([18.6, np.nan]),
        graph={"title": "骨架"},
    )
    assert sorted(graph.edges(keys=True)) == [
        ("贵阳", "龙里", "G60-1"),
        ("龙里", "S", "R-1"),
        ("龙里", "贵阳", "G60-1"),
    ]
    edge = graph["龙里"]["贵阳"]["G60-1"]
    assert edge["minutes"] == 18.6
    assert edge["length"] == 31000.0
    assert "minutes" not in graph["龙里"]["S"]["R-1"]
    assert edge["geometry"].coords[0] == (106.9, 26.4)
    assert "geometry" not in graph["龙里"]["S"]["R-1"]
    assert graph.nodes["贵阳"]["x"] == 106.7
    assert graph.graph["title"] == "骨架"
    made = from_osmnx(graph)
    columns = links.columns.tolist()
    pd.testing.assert_frame_equal(made.links[columns], links)
    assert set(made.links.columns) - set(columns) == {"component"}
    names = nodes.columns.tolist()
    pd.testing.assert_frame_equal(made.nodes[names], nodes)
    assert made.services is not None
    pd.testing.assert_frame_equal(made.services, services)
    assert made.graph == {"title": "骨架", "crs": "EPSG:4326"}
    assert made.xy.tolist() == xy.tolist()
    assert made.report.source == "骨架"


def test_ids_that_would_be_alike_are_told_apart() -> None:
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (x, y) in {"a": A, "b-c": B, "a-b": C, "c": D}.items():
        graph.add_node(node, x=x, y=y)
    graph.add_edge("a", "b-c", highway="primary")
    graph.add_edge("a-b", "c", highway="primary")
    made = from_osmnx(graph)
    assert made.links["id"].tolist() == ["a-b-c-0", "a-b-c-0#2"]
    assert_kept(graph, back_again(made))


def test_a_graph_read_from_graphml_as_text() -> None:
    graph = street_graph(
        (
            1,
            2,
            {
                "highway": "['primary', 'secondary']",
                "maxspeed": "['60', '40']",
                "length": "995.0",
                "oneway": "False",
                "name": "__import__('os').system('touch ran')",
                "lanes": "[x for x in ().__class__.__base__.__subclasses__()]",
                "geometry": f"LINESTRING ({A[0]} {A[1]}, {BEND[0]} {BEND[1]}, {B[0]} {B[1]})",
            },
        )
    )
    text = io.BytesIO()
    nx.write_graphml(graph, text)
    text.seek(0)
    read = nx.read_graphml(text, force_multigraph=True)
    for _, held in read.nodes(data=True):
        held["x"] = str(held["x"])
    made = from_osmnx(read)
    assert made.links["class"].tolist() == ["county"]
    assert made.links["speed_kmh"].tolist() == [40.0]
    assert made.links["length_m"].tolist() == [995.0]
    assert len(made.xy) == 3
    # text it was, text it is
    assert made.links["name"].tolist() == ["__import__('os').system('touch ran')"]
    assert made.links["lanes"].tolist() == ["[x for x in ().__class__.__base__.__subclasses__()]"]
    assert made.links["highway"].tolist() == ["['primary', 'secondary']"]


def test_lines_that_cannot_be_used() -> None:
    good = {"highway": "primary", "length": 995.0}
    made = from_osmnx(
        street_graph(
            (1, 2, {**good, "geometry": "LINESTRING (1 2"}),
            (1, 2, {**good, "geometry": Point(1, 2)}),
            (1, 2, {**good, "geometry": LineString()}),
            (1, 2, {**good, "geometry": LineString([B, BEND, A])}),
            (1, 2, {**good, "geometry": None}),
        )
    )
    assert made.report.repaired == {"geometry_unreadable": 3, "geometry_backwards": 1}
    assert np.diff(made.offsets).tolist() == [2, 2, 2, 3, 2]
    assert made.xy[made.offsets[3]].tolist() == list(A)
    with pytest.raises(TableError, match=r"edge 1-2: its line ends 1490 m from its nodes"):
        from_osmnx(street_graph((1, 2, {**good, "geometry": LineString([A, D])})))
    with pytest.raises(TableError, match=r"length is 0\.995, but it is drawn 99\d m long; metres"):
        from_osmnx(street_graph((1, 2, {**good, "length": 0.995})))


def test_svalbard_is_not_swapped() -> None:
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.add_node(1, x=15.63, y=78.22)
    graph.add_node(2, x=15.64, y=78.22)
    graph.add_edge(1, 2, highway="residential")
    # a hundredth of a degree at 78.22 N: 1113.2 m times the cosine, 0.2043, and 1.0032
    assert from_osmnx(graph).links["length_m"][0] == pytest.approx(228.2, rel=1e-3)


OSM = """<osm version="0.6">
  <node id="1" lat="26.60" lon="106.70"/>
  <node id="2" lat="26.60" lon="106.71"/>
  <node id="3" lat="26.605" lon="106.72"/>
  <node id="4" lat="26.60" lon="106.73"/>
  <node id="5" lat="26.61" lon="106.73"/>
  <node id="6" lat="26.61" lon="106.74"/>
  <node id="7" lat="26.60" lon="106.74"/>
  <node id="8" lat="26.59" lon="106.72"/>
  <way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/>
    <tag k="name" v="甲路"/><tag k="maxspeed" v="60"/></way>
  <way id="11"><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/>
    <tag k="name" v="甲路"/><tag k="bridge" v="yes"/></way>
  <way id="12"><nd ref="3"/><nd ref="4"/><tag k="highway" v="secondary"/>
    <tag k="name" v="乙路"/></way>
  <way id="13"><nd ref="4"/><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="4"/>
    <tag k="highway" v="residential"/></way>
  <way id="14"><nd ref="2"/><nd ref="8"/><nd ref="4"/><tag k="highway" v="motorway"/>
    <tag k="oneway" v="yes"/></way>
</osm>
"""


@pytest.mark.parametrize("through_graphml", [False, True])
@pytest.mark.parametrize("simplify", [False, True])
def test_a_graph_that_osmnx_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simplify: bool, through_graphml: bool
) -> None:
    import osmnx as ox

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.osm"
    path.write_text(OSM, encoding="utf-8")
    graph = ox.graph_from_xml(path, simplify=simplify, retain_all=True)
    if through_graphml:
        ox.save_graphml(graph, tmp_path / "small.graphml")
        graph = ox.load_graphml(tmp_path / "small.graphml")
    made = from_osmnx(graph)
    assert_kept(graph, back_again(made))
    assert not made.report.dropped
    # the motorway is the one road that leads one way
    one_way = made.links[made.links["oneway"]]
    assert set(one_way["class"]) == {"expressway"}
    # simplified: 1-2, 2-3-4, two halves of the ring, 2-8-4
    assert len(made.links) == (5 if simplify else 9)
    # what OSMnx has as length, there and back but on the motorway
    total = sum(held["length"] for *_, held in graph.edges(data=True))
    twice = made.links["length_m"].where(made.links["oneway"], made.links["length_m"] * 2)
    assert twice.sum() == pytest.approx(total)
    assert made.report.share_in_largest == 1


def test_what_is_no_street_graph() -> None:
    with pytest.raises(InputError, match="graph is a DiGraph; a MultiDiGraph"):
        from_osmnx(nx.DiGraph(crs="EPSG:4326"))
    with pytest.raises(InputError, match="graph is a MultiGraph"):
        from_osmnx(nx.MultiGraph(crs="EPSG:4326"))
    with pytest.raises(InputError, match="graph is a str"):
        from_osmnx("贵阳")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        (None, r"has no CRS.*graph\.graph\['crs'\] = 'EPSG:4326'"),
        ("EPSG:32648", r"is projected \(WGS 84 / UTM zone 48N\).*to_latlong=True"),
        ("EPSG:4214", "is in Beijing 1954; WGS 84 is expected"),
        ("nonsense", "CRS is 'nonsense', which is none"),
    ],
)
def test_graphs_that_do_not_say_where_they_are(crs: str | None, said: str) -> None:
    graph = street_graph((1, 2, {"highway": "primary"}), crs=crs)
    with pytest.raises(CRSError, match=said):
        from_osmnx(graph)


def test_china_2000_is_taken_as_it_is() -> None:
    graph = street_graph((1, 2, {"highway": "primary"}), crs="EPSG:4490")
    assert len(from_osmnx(graph).links) == 1


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "node 9 has the position {'x': None, 'y': None}; x and y are needed"),
        ({"x": "east", "y": 1}, "node 9 has the position {'x': 'east', 'y': 1}"),
        ({"x": 26.6, "y": 106.7}, "node 9: x 26.6, y 106.7 look swapped"),
        ({"x": 1e6, "y": 1e6}, "are not degrees on the Earth"),
    ],
)
def test_positions(held: dict[str, Any], said: str) -> None:
    graph = street_graph((1, 2, {"highway": "primary"}))
    graph.add_node(9, **held)
    with pytest.raises(TableError) as caught:
        from_osmnx(graph)
    assert said in str(caught.value)


def test_ids_that_are_one_as_text() -> None:
    graph = street_graph((1, 2, {"highway": "primary"}))
    graph.add_node("1", x=1.0, y=1.0)
    with pytest.raises(TableError, match="2 nodes have the id '1' as text"):
        from_osmnx(graph)
