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
# what the province says of itself: expressways in operation at the end of the year, km (annual
# reports; 2018 and 2020 are further off, see layers/network/README.md)
PROVINCE_KM = {2015: 5128.0, 2019: 7000.0, 2021: 8010.0, 2022: 8331.0}

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="no reference geometry in ../shared/reference"
)


@cache
def backbone() -> Network:
    return Network.backbone()


@cache
def everything() -> Network:
    return Network.backbone(None)


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


@cache
def province() -> shapely.Geometry:
    return load("counties").to_crs(metric()).union_all()


def length_in_province_km(links: gpd.GeoDataFrame) -> pd.Series:
    """Length of each link inside the province, km."""
    outline = province()
    lines = links.geometry.to_crs(metric())
    share = lines.intersection(outline).length / lines.length
    return links["length_m"] / 1000 * share


@pytest.mark.parametrize(("year", "published_km"), PROVINCE_KM.items())
def test_expressways_sum_to_what_the_province_says(year: int, published_km: float) -> None:
    links = Network.backbone(year).links
    total = length_in_province_km(links[links["class"] == "expressway"]).sum()
    assert total == pytest.approx(published_km, rel=0.05)


def test_every_county_seat_lies_on_an_ordinary_road() -> None:
    seats = places(kinds=("county_seat",)).to_crs(metric())
    links = backbone().links.to_crs(metric())
    slow = links[(links["mode"] == "road") & (links["class"] != "expressway")].union_all()
    metres = seats.distance(slow)
    assert len(seats) == 88
    assert list(seats.loc[metres > 2000, "name"]) == []


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


def area(extent_name: str | None) -> shapely.Geometry:
    """Outline of an extent, or of the province; metric."""
    if extent_name is None:
        return province()
    return load("counties", extent=extent_name).to_crs(metric()).union_all()


@cache
def service_areas() -> gpd.GeoDataFrame:
    """Service areas of the province, metric, with ``off_m``: how far their expressway is drawn."""
    areas = pd.read_csv(REFERENCE / "expressway_service_areas.csv")
    points = gpd.GeoDataFrame(
        areas, geometry=gpd.points_from_xy(areas["lon"], areas["lat"]), crs=4326
    )
    points = points.to_crs(metric())
    points = points[points.within(province())]
    # a service area of today may stand on a road that opened after 2022
    links = everything().links.to_crs(metric())
    fast = links[links["class"] == "expressway"]
    names = fast["name"].map(lambda name: set(re.split("[;/]", name)))
    of_name = {
        one: fast[names.map(lambda have, name=one: name in have)]
        for one in points["expressway"].unique()
    }
    points["off_m"] = [
        of_name[one.expressway].distance(one.geometry).min() for one in points.itertuples()
    ]
    return points


@needs_reference
@pytest.mark.parametrize("within", ["qianzhong", None])
def test_service_areas_lie_on_the_expressway_of_their_name(within: str | None) -> None:
    points = service_areas()
    points = points[points.within(area(within))]
    # an expressway of that name that is not drawn at all gives NaN, which is not near either
    far = points[~(points["off_m"] <= 1500)]
    assert len(points) >= (50 if within else 115)
    assert len(far) <= 0.1 * len(points), list(far["expressway"] + " " + far["name"])


@needs_reference
@pytest.mark.parametrize("within", ["qianzhong", None])
def test_national_expressways_follow_the_reference(within: str | None) -> None:
    reference = gpd.read_file(REFERENCE / "expressways_g_lines.geojson").to_crs(metric())
    outline = area(within)
    links = backbone().links.to_crs(metric())
    routes = ["G60", "G75", "G56", "G4215", "G6002"]
    if within is None:
        # the part of G7612 that the reference has; 纳雍–晴隆 opened in 2024
        routes += ["G7611", "G7612", "G78", "S1"]
    shares = {}
    # G76 is left out: the reference follows older alignments there, as its notes say
    for route in routes:
        line = reference[reference["route"] == route].union_all().intersection(outline)
        ours = links[links["ref"].str.split(";").map(lambda refs, r=route: r in refs)].union_all()
        spots = shapely.points(shapely.get_coordinates(shapely.segmentize(line, 500)))
        shares[route] = float((shapely.distance(spots, ours) <= 1500).mean())
    assert min(shares.values()) >= 0.9, shares


@needs_reference
def test_expressways_meet_where_the_reference_has_them_meet() -> None:
    """Exits there carry numbers or abbreviations, so only crossing routes can be matched."""
    points = gpd.read_file(REFERENCE / "expressways_g_points.geojson").to_crs(metric())
    points = points[(points["region"] == "CHN-GZ") & ~points["is_shape_point"].astype(bool)]
    net = backbone()
    fast = net.links[(net.links["class"] == "expressway") & (net.links["ref"] != "")]
    at: dict[str, list[set[str]]] = {}
    for tail, head, refs in zip(fast["from"], fast["to"], fast["ref"], strict=True):
        for node in (tail, head):
            at.setdefault(node, []).append(set(refs.split(";")))
    places_ = net.nodes.set_index("id").geometry.to_crs(metric())
    off: dict[str, float] = {}
    for one in points.itertuples():
        for other in set(re.findall(r"(?<![A-Za-z0-9])[GS]\d+", one.label)) - {one.route}:
            # where both run on together they do not meet
            meet = [
                node
                for node, held in at.items()
                if any(one.route in have for have in held)
                and any(other in have for have in held)
                and any((one.route in have) != (other in have) for have in held)
            ]
            if meet:
                metres = places_[meet].distance(one.geometry)
                off[metres.idxmin()] = min(off.get(metres.idxmin(), np.inf), metres.min())
    # routes that meet twice: what is farther off is another meeting
    near = [metres for metres in off.values() if metres < 5000]
    assert len(near) >= 18
    assert np.median(near) < 1500


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


@cache
def published() -> pd.DataFrame:
    """Published lengths beside the drawn ones, km; sections that can be compared."""
    table = pd.read_csv(data_folder() / "network" / "published_lengths.csv")
    table = table[table["use"] != "no"].copy()
    table["drawn_km"] = [along(row.route, row.from_node, row.to_node) for row in table.itertuples()]
    return table


@cache
def routed() -> list[tuple[str, str, float, set[str]]]:
    """Ends, km, and numbers and names of expressways and railways."""
    links = everything().links
    links = links[links["class"].isin(["expressway", *RAIL_CLASSES])]
    names = (links["ref"] + ";" + links["name"]).str.split(";").map(set)
    return list(zip(links["from"], links["to"], links["length_m"] / 1000, names, strict=True))


def along(route: str, start: str, end: str) -> float:
    """Shortest length between two nodes, over links of the routes named if they connect them."""
    wanted = set(route.split("+"))
    edges = routed()
    for chosen in ([edge for edge in edges if wanted & edge[3]], edges):
        graph = nx.Graph()
        graph.add_weighted_edges_from((edge[:3] for edge in chosen), weight="km")
        if start in graph and end in graph and nx.has_path(graph, start, end):
            return float(nx.shortest_path_length(graph, start, end, weight="km"))
    raise AssertionError(f"{route}: no way from {start} to {end}")


def test_expressway_sinuosity_is_what_routes_of_known_length_give() -> None:
    table = published()
    rows = table[(table["class"] == "expressway") & (table["use"] == "calibration")]
    used = backbone().profile.sinuosity["expressway"]
    assert len(rows) >= 5
    assert rows["km"].sum() / (rows["drawn_km"].sum() / used) == pytest.approx(used, abs=0.006)


# drawn more than a tenth off what is published, and why
OFF_LENGTH = {
    "武道高速 子母岩（渝黔界）–道真东": "a winding mountain road drawn with two bends",
    "罗望高速 沟亭布苏–望谟平洞": "a corridor: its middle is not known",
    "南天高速 八圩关西–下老弄塘屯": "in 广西, a corridor",
    "靖黎高速 靖州–界牌(湘黔界)": "in 湖南, a corridor",
}


def test_expressways_are_as_long_as_published() -> None:
    roads = published().query("mode == 'road'")
    off = {
        f"{row.route} {row.section}": round(row.drawn_km / row.km, 3) for row in roads.itertuples()
    }
    assert len(off) >= 35
    wrong = {name: ratio for name, ratio in off.items() if abs(ratio - 1) > 0.10}
    assert set(wrong) == set(OFF_LENGTH), wrong
    assert np.median([abs(ratio - 1) for ratio in off.values()]) < 0.05
    # however bad the corridor, it is the right one
    assert max(abs(ratio - 1) for ratio in wrong.values()) < 0.20


# conventional lines that climb in loops and follow gorges, drawn from station to station
OFF_RAIL = {
    "HKL 贵昆铁路贵阳–六盘水": "follows the hills between 安顺 and 六盘水",
    "YH 渝怀铁路秀山–怀化": "drawn by way of 铜仁, and the length is remembered",
    "SH 水红铁路六盘水–红果": "winds along the 北盘江; the length is remembered",
    "PXL 盘西铁路红果–沾益": "climbs in loops",
    "NK 南昆铁路红果–威舍": "climbs in loops; the length is remembered",
    "NK 南昆铁路昆明–百色": "climbs in loops outside the province; the length is remembered",
    "XB 叙毕铁路叙永北–毕节": "drawn with three bends; the length is that of the whole line",
}


def test_railways_are_as_long_as_published() -> None:
    rail = published().query("mode == 'rail'")
    off = {
        f"{row.route} {row.section}": round(row.drawn_km / row.km, 3) for row in rail.itertuples()
    }
    assert len(off) >= 30
    wrong = {name: ratio for name, ratio in off.items() if abs(ratio - 1) > 0.08}
    assert set(wrong) == set(OFF_RAIL), wrong
    assert np.median([abs(ratio - 1) for ratio in off.values()]) < 0.05
    # the trains' minutes are stated, so they do not depend on these lengths
    assert (
        set(rail.loc[rail["class"] == "hsr", "section"]) & {name.split(" ", 1)[1] for name in wrong}
        == set()
    )


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


@cache
def projects() -> pd.DataFrame:
    """``projects.csv``, with ``ids`` as lists."""
    table = pd.read_csv(
        data_folder() / "network" / "projects.csv", dtype=str, keep_default_na=False
    )
    return table.assign(ids=table["ids"].map(lambda ids: ids.split("|") if ids else []))


def named_in(rows: pd.DataFrame) -> set[str]:
    return {one for ids in rows["ids"] for one in ids}


def test_every_transport_item_of_the_plans_is_a_project_once() -> None:
    items = [
        row
        for path in sorted((data_folder() / "plans").glob("*/transport.csv"))
        for row in pd.read_csv(path, dtype=str, keep_default_na=False)
        .assign(plan=path.parent.name)
        .to_dict("records")
    ]
    assert len(items) == 387
    table = projects().set_index("item")
    assert table.index.is_unique
    assert set(table.index) == {row["id"] for row in items}
    for row in items:
        kept = table.loc[row["id"]]
        assert (kept["status"], kept["verb"]) == (row["status"], row["verb"]), row["id"]
        assert kept["cite"] == f"{row['plan']}:{row['id']}"


def test_what_a_project_names_exists_and_what_is_not_drawn_says_why() -> None:
    net = everything()
    known = set(net.links["id"]) | set(net.services["service"])
    table = projects()
    drawn = table["drawn"].isin(["links", "services"])
    assert named_in(table[drawn]) - known == set()
    assert named_in(table[table["drawn"] == "node"]) - set(net.nodes["id"]) == set()
    blank = table[table["drawn"] == "none"]
    assert (blank["why_not"] != "").all()
    assert named_in(blank) == set()
    assert (table.loc[table["drawn"] != "none", "ids"].map(len) > 0).all()


def test_a_link_cites_the_items_of_its_projects() -> None:
    table = projects()
    table = table[table["drawn"].isin(["links", "services"])]
    cites: dict[str, set[str]] = {}
    for row in table.itertuples():
        for one in row.ids:
            cites.setdefault(one, set()).add(row.cite)
    net = everything()
    links = net.links.set_index("id")["cite"]
    services = net.services.drop_duplicates("service").set_index("service")["cite"]
    said = {one: set(cite.split(";")) for one, cite in pd.concat([links, services]).items() if cite}
    assert {one: cite for one, cite in said.items() if cites.get(one) != cite} == {}
    assert set(cites) == set(said)


def ids_of(net: Network) -> set[str]:
    return set(net.links["id"]) | set(net.services["service"])


def rows_of(net: Network) -> pd.DataFrame:
    """Links and services under one another, by id."""
    columns = ["status", "open_year", "planned_year"]
    services = net.services.drop_duplicates("service").set_index("service")
    return pd.concat([net.links.set_index("id")[columns], services[columns]])


@pytest.mark.parametrize(("before", "after"), [(2022, 2025), (2025, 2035)])
def test_what_opens_between_two_years_is_what_the_rows_say(before: int, after: int) -> None:
    earlier, later = ids_of(Network.backbone(before)), ids_of(Network.backbone(after))
    assert earlier - later == set()
    table = rows_of(everything())
    opened = table["open_year"].between(before + 1, after)
    promised = table["open_year"].isna() & (table["status"] != "已建成")
    promised &= table["planned_year"].between(before + 1, after)
    assert later - earlier == set(table.index[opened | promised])
    # what is promised and not open is promised by an item of a plan
    said = projects()
    said = said[(said["planned_year"] != "") & said["drawn"].isin(["links", "services"])]
    said = said[said["planned_year"].astype(int).between(before + 1, after)]
    assert set(table.index[promised]) - named_in(said) == set()
    # and an item's promise is kept by its links, but for those whose later plan says otherwise
    kept = set(table.index[opened | promised]) | set(table.index[table["status"] == "已建成"])
    loose = {row.item for row in said.itertuples() if set(row.ids) - kept}
    assert loose <= {
        "gz22-transport-011",  # 外环: the plan of 2023 says 加快建设, without a year
        # 遵义 metro: the plan of May 2022 says 力争开工建设
        *("zy22-transport-056", "zy22-transport-057", "zy22-transport-065", "zy22-transport-066"),
    }


@pytest.mark.parametrize("status", ["已建成", "在建", "开工", "前期", "研究"])
def test_what_has_a_status_is_what_the_rows_say(status: str) -> None:
    table = rows_of(everything())
    assert ids_of(everything().where(status)) == set(table.index[table["status"] == status])


def test_what_is_not_begun_stands_in_a_plan_with_that_status() -> None:
    table = rows_of(everything())
    said = projects()
    for status in ("开工", "前期", "研究"):
        rows = set(table.index[table["status"] == status])
        assert rows
        assert rows - named_in(said[said["status"] == status]) == set()


def test_trains_take_the_minutes_that_are_published() -> None:
    table = pd.read_csv(data_folder() / "network" / "published_minutes.csv", keep_default_na=False)
    used = table[table["use"] != "no"]
    assert len(used) >= 80
    assert (table["source"] != "").all()
    services = everything().services
    assert (set(used["from_station"]) | set(used["to_station"])) - set(services["station"]) == set()
    off = []
    for row, kind in zip(used.itertuples(), used["class"], strict=True):
        rides = pd.DataFrame(direct(row.from_station, row.to_station, kind, row.year))
        rides = rides.sort_values("minutes")
        share = rides["a_day"].cumsum() / rides["a_day"].sum()
        # "fastest" is what a press report gives, "typical" the train in the middle
        found = rides["minutes"][share >= (0.5 if row.kind == "typical" else 0.0)].iloc[0]
        off.append(abs(found / row.minutes - 1))
    assert np.median(off) < 0.04
    assert np.quantile(off, 0.9) < 0.16


def direct(start: str, end: str, kind: str, year: int) -> list[dict[str, float]]:
    """Minutes and frequency of each service of a class between two stations without a change."""
    services = everything().services
    services = services[(services["class"] == kind) & (services["open_year"] <= max(year, 2022))]
    found = []
    for _, rows in services.groupby("service", sort=False):
        stops = list(rows["station"])
        if start in stops and end in stops:
            first, last = sorted((stops.index(start), stops.index(end)))
            minutes = rows["run_min"].iloc[first + 1 : last + 1].sum()
            minutes += rows["dwell_min"].iloc[first + 1 : last].sum()
            found.append({"minutes": minutes, "a_day": 1 / rows["headway_min"].iloc[0]})
    return found
