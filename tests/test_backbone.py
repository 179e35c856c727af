"""The bundled skeleton: is it true where truth is known?"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse.csgraph import connected_components

from urbangeo.access import commuting_circle
from urbangeo.catalog import data_folder
from urbangeo.crs import equal_area
from urbangeo.layer import load
from urbangeo.network import Network
from urbangeo.network.profiles import RAIL_CLASSES
from urbangeo.places import places
from urbangeo.plans import extent

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
PLAN_KM_2022 = 3404.0  # qianzhong-2023, chapter 1 section 1
PLAN_KM_2015 = 3404.0 - 1279.0

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="no reference geometry in ../shared/reference"
)


@cache
def backbone() -> Network:
    return Network.backbone()


@cache
def metric() -> object:
    return equal_area(backbone().bounds)


def length_in_extent_km(links: gpd.GeoDataFrame) -> pd.Series:
    """Length of each link inside the extent, km: its length times the share of its line inside."""
    outline = gpd.GeoSeries([extent("qianzhong").outline], crs=4326).to_crs(metric()).iloc[0]
    lines = links.geometry.to_crs(metric())
    share = lines.intersection(outline).length / lines.length
    return links["length_m"] / 1000 * share


def test_every_node_lies_in_the_county_that_its_row_says() -> None:
    nodes = backbone().nodes
    counties = load("counties")[["adcode", "geometry"]].rename(columns={"adcode": "lies_in"})
    joined = nodes.sjoin(counties, how="left", predicate="intersects")
    stated = joined[joined["adcode"] != ""]
    elsewhere = ~stated["adcode"].isin(counties["lies_in"])
    wrong = stated[stated["adcode"] != stated["lies_in"].where(~elsewhere, stated["adcode"])]
    assert stated.loc[elsewhere, "lies_in"].isna().all()
    # a node on a border intersects two counties; it is wrong only if neither is the stated one
    wrong = wrong[~wrong["id"].isin(stated.loc[stated["adcode"] == stated["lies_in"], "id"])]
    assert wrong[["id", "adcode", "lies_in"]].to_dict("records") == []
    # a node without county, or with another province's, lies outside this one
    assert joined.loc[joined["adcode"] == "", "lies_in"].isna().all()


def test_one_connected_component() -> None:
    net = backbone()
    graph = net.graph()
    _, label = connected_components(graph.matrix(), directed=True, connection="strong")
    tables, links = net._tables, net.link_rows
    road = links[(tables.links["mode"].iloc[links] == "road").to_numpy()]
    kinds, ids = tables.nodes["kind"].to_numpy(), tables.nodes["id"].to_numpy()
    called = np.flatnonzero(np.isin(ids, net.services["station"]))
    used = np.unique(np.concatenate([tables.tail[road], tables.head[road], called]))
    # railway junctions and way points carry the drawing only: trains run from call to call
    main = np.bincount(label[used]).argmax()
    assert [(ids[one], kinds[one]) for one in used[label[used] != main]] == []


def test_every_place_of_the_extent_reaches_the_network() -> None:
    towns = commuting_circle("贵阳", 60, backbone()).towns
    assert set(towns["status"]) <= {"inside", "outside"}
    asked = places(extent="qianzhong", kinds=("county_seat", "town"))
    assert set(asked["name"] + asked["adcode"]) <= set(towns["name"] + towns["adcode"])


def test_expressways_sum_to_what_the_plan_says() -> None:
    links = backbone().links
    total = length_in_extent_km(links[links["class"] == "expressway"]).sum()
    assert total == pytest.approx(PLAN_KM_2022, rel=0.05)


def test_expressways_of_2015_too() -> None:
    links = Network.backbone(2015).links
    total = length_in_extent_km(links[links["class"] == "expressway"]).sum()
    assert total == pytest.approx(PLAN_KM_2015, rel=0.05)


def test_a_shared_carriageway_is_drawn_once() -> None:
    tables = backbone()._tables
    rows = backbone().link_rows
    fast = rows[(tables.links["class"].to_numpy() == "expressway")[rows]]
    ends = np.sort(np.stack([tables.tail[fast], tables.head[fast]]), axis=0)
    pairs = pd.Series(list(zip(*ends, strict=True)))
    again = tables.links["id"].to_numpy()[fast[pairs.duplicated().to_numpy()]]
    assert list(again) == []


def test_expressways_are_entered_only_at_their_nodes() -> None:
    net = backbone()
    tables = net._tables
    fast = (tables.links["class"] == "expressway").to_numpy()
    slow = (tables.links["mode"] == "road").to_numpy() & ~fast
    on_fast = set(tables.tail[fast]) | set(tables.head[fast])
    on_slow = set(tables.tail[slow]) | set(tables.head[slow])
    kinds = tables.nodes["kind"].to_numpy()[sorted(on_fast & on_slow)]
    assert set(kinds) <= {"interchange"}


@needs_reference
def test_service_areas_lie_on_the_expressway_of_their_name() -> None:
    areas = pd.read_csv(REFERENCE / "expressway_service_areas.csv")
    points = gpd.GeoDataFrame(
        areas, geometry=gpd.points_from_xy(areas["lon"], areas["lat"]), crs=4326
    )
    members = load("counties", extent="qianzhong")
    points = points[points.within(members.union_all())].to_crs(metric())
    # a service area of today may stand on a road that opened after 2022
    links = Network.backbone(None).links.to_crs(metric())
    fast = links[links["class"] == "expressway"]
    names = fast["name"].map(lambda name: set(re.split("[;/]", name)))
    far = [
        f"{one.expressway} {one.name}"
        for one in points.itertuples()
        if fast[names.map(lambda s, n=one.expressway: n in s)].distance(one.geometry).min() > 1500
        or not names.map(lambda s, n=one.expressway: n in s).any()
    ]
    assert len(far) <= 0.1 * len(points), far


@needs_reference
def test_national_expressways_follow_the_reference() -> None:
    reference = gpd.read_file(REFERENCE / "expressways_g_lines.geojson").to_crs(metric())
    outline = load("counties", extent="qianzhong").to_crs(metric()).union_all()
    links = backbone().links.to_crs(metric())
    shares = {}
    # G76 is left out: the reference follows older alignments there, as its notes say
    for route in ("G60", "G75", "G56", "G4215", "G6002"):
        line = reference[reference["route"] == route].union_all().intersection(outline)
        ours = links[links["ref"].str.split(";").map(lambda refs, r=route: r in refs)].union_all()
        spots = shapely.points(shapely.get_coordinates(shapely.segmentize(line, 500)))
        shares[route] = float((shapely.distance(spots, ours) <= 1500).mean())
    assert min(shares.values()) >= 0.9, shares


@needs_reference
def test_stations_lie_near_the_reference() -> None:
    ours = backbone().nodes
    ours = ours[ours["kind"] == "station"].to_crs(metric()).set_index("name")
    reference = gpd.read_file(REFERENCE / "railway_stations_osm.geojson").to_crs(metric())
    reference = reference[reference["name"].notna()]
    known = reference.assign(name=reference["name"].str.removesuffix("站"))
    far = {}
    for one in known.itertuples():
        if one.name in ours.index:
            metres = float(ours.loc[[one.name]].distance(one.geometry).min())
            far[one.name] = min(metres, far.get(one.name, np.inf))
    assert len(far) >= 20
    assert {name: round(m) for name, m in far.items() if m > 1000} == {}


def published() -> pd.DataFrame:
    """Published lengths beside the drawn ones, km; sections that can be compared."""
    table = pd.read_csv(data_folder() / "network" / "published_lengths.csv")
    table = table[table["use"] != "no"].copy()
    table["drawn_km"] = [along(row.route, row.from_node, row.to_node) for row in table.itertuples()]
    return table


def along(route: str, start: str, end: str) -> float:
    """Shortest length between two nodes, over links of the routes named if they connect them."""
    links = Network.backbone(None).links
    links = links[links["class"].isin(["expressway", *RAIL_CLASSES])]
    wanted = set(route.split("+"))
    held = [
        bool(wanted & {*ref.split(";"), *name.split(";")})
        for ref, name in zip(links["ref"], links["name"], strict=True)
    ]
    for chosen in (links[held], links):
        graph = nx.Graph()
        ends = zip(chosen["from"], chosen["to"], chosen["length_m"] / 1000, strict=True)
        graph.add_weighted_edges_from(ends, weight="km")
        if start in graph and end in graph and nx.has_path(graph, start, end):
            return float(nx.shortest_path_length(graph, start, end, weight="km"))
    raise AssertionError(f"{route}: no way from {start} to {end}")


def test_expressway_sinuosity_is_what_routes_of_known_length_give() -> None:
    table = published()
    rows = table[(table["class"] == "expressway") & (table["use"] == "calibration")]
    used = backbone().profile.sinuosity["expressway"]
    assert len(rows) >= 5
    assert rows["km"].sum() / (rows["drawn_km"].sum() / used) == pytest.approx(used, abs=0.006)


def test_railways_are_as_long_as_published() -> None:
    rail = published().query("mode == 'rail'")
    off = {
        f"{row.route} {row.section}": round(row.drawn_km / row.km, 3) for row in rail.itertuples()
    }
    assert len(off) >= 10
    assert {name: ratio for name, ratio in off.items() if abs(ratio - 1) > 0.08} == {}


def test_services_run_at_speeds_that_trains_run_at() -> None:
    services = backbone().services
    nodes = backbone().nodes.set_index("id").to_crs(metric()).geometry
    limits = {"hsr": 350, "intercity": 250, "conventional": 160, "suburban": 160, "metro": 100}
    before = services["station"].shift()
    ride = services["run_min"].notna()
    km = [nodes[a].distance(nodes[b]) / 1000
          for a, b in zip(before[ride], services["station"][ride], strict=True)]  # fmt: skip
    speed = np.array(km) / services.loc[ride, "run_min"].to_numpy() * 60
    top = services.loc[ride, "class"].map(limits).to_numpy()
    assert (speed < top).all()
    assert (speed > 15).all()


def test_polygon_and_verdict_agree_at_random_places() -> None:
    rng = np.random.default_rng(5)
    spots = gpd.GeoDataFrame(
        {"name": [str(i) for i in range(1000)]},
        geometry=gpd.points_from_xy(rng.uniform(106.2, 107.2, 1000), rng.uniform(26.2, 27.2, 1000)),
        crs=4326,
    )
    circle = commuting_circle("贵阳", 60, backbone(), places=spots)
    drawn = circle.towns.within(circle.polygon)
    inside = circle.towns["status"] == "inside"
    clear = (circle.towns["minutes"] - 60).abs() > 2
    assert (drawn != inside)[clear].mean() < 0.01


def test_what_is_said_of_the_network() -> None:
    facts = backbone().describe()
    assert facts["schematic"]
    assert facts["year"] == 2022
    assert any("示意" in line for line in facts["attribution"])
