"""Tables of a network: everything that is wrong is found, named by row, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import link, node, service
from shapely.geometry import LineString, Point

from urbangeo.errors import CRSError, TableError
from urbangeo.network.tables import Tables, check_tables

NODES = [node("A", 107.0, 27.0), node("B", 107.01, 27.0), node("S", 107.02, 27.0, "station")]
LINKS = [link("A", "B", 1), link("B", "S", 1)]


def refused(nodes: list[Any], links: list[Any], services: list[Any] | None = None) -> str:
    with pytest.raises(TableError) as caught:
        check_tables(
            pd.DataFrame(nodes), pd.DataFrame(links), pd.DataFrame(services) if services else None
        )
    return str(caught.value)


def test_good_tables_get_types_and_ends() -> None:
    tables = check_tables(pd.DataFrame(NODES), pd.DataFrame(LINKS))
    assert list(tables.tail) == [0, 1]
    assert list(tables.head) == [1, 2]
    assert tables.links["oneway"].tolist() == [False, False]
    assert tables.links["status"].tolist() == ["已建成", "已建成"]
    # one hundredth of a degree of longitude on the equator is 1113.195 m; at 27 N its cosine
    # times that, and 0.07 % more because the ellipsoid's radius across is larger there
    assert tables.chord_m[0] == pytest.approx(1113.195 * np.cos(np.radians(27)) * 1.0007, rel=2e-4)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"to": "Z"}, "row 3: to names 'Z', which is no node"),
        ({"length_m": -5}, "row 3: length_m is -5; it must be above 0"),
        ({"length_m": 0}, "length_m is 0"),
        ({"length_m": "NaN"}, "length_m is 'NaN'; a finite number is expected"),
        ({"length_m": "inf"}, "length_m is 'inf'; a finite number is expected"),
        ({"speed_kmh": 0}, "row 3: speed_kmh is 0; it must be above 0"),
        ({"id": "A-B"}, "row 3: id 'A-B' stands in an earlier row already"),
        ({"mode": "walk"}, "mode is 'walk'; known: road, rail"),
        ({"mode": "ferry"}, "mode is 'ferry'; known: road, rail"),
        ({"class": "motorway"}, "class is 'motorway'"),
        ({"class": "hsr"}, "class 'hsr' does not go with mode 'road'"),
        ({"status": "built"}, "status is 'built'"),
        ({"to": "B"}, "leads from 'B' to itself"),
        ({"oneway": "maybe"}, "oneway is 'maybe'"),
        ({"open_year": "soon"}, "open_year is 'soon'"),
    ],
)
def test_bad_link_is_named_by_row(row: dict[str, Any], said: str) -> None:
    assert said in refused(NODES, [LINKS[0], {**LINKS[1], **row}])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "A"}, "row 3: id 'A' stands in an earlier row already"),
        ({"id": ""}, "row 3: id is empty"),
        ({"lon": None}, "row 3: lon or lat is empty"),
        ({"lon": 27.0, "lat": 107.0}, "longitude and latitude look swapped"),
        ({"lon": 500.0}, "not degrees on the Earth"),
        ({"kind": "village"}, "kind is 'village'"),
    ],
)
def test_bad_node_is_named_by_row(row: dict[str, Any], said: str) -> None:
    assert said in refused([NODES[0], {**NODES[1], **row}, NODES[2]], LINKS)


def test_all_findings_come_at_once() -> None:
    bad = [{**LINKS[0], "length_m": -1}, {**LINKS[1], "to": "Z", "mode": "air"}]
    said = refused(NODES, bad)
    assert "3 finding(s)" in said
    assert "row 2" in said
    assert "row 3" in said


def test_missing_column_is_named() -> None:
    said = refused(NODES, [{"id": "x", "from": "A", "to": "B"}])
    assert "column 'mode' is missing" in said
    assert "column 'class' is missing" in said


def test_points_in_one_place_need_a_length() -> None:
    nodes = [node("A", 107, 27), node("B", 107, 27)]
    row = link("A", "B", 1)
    check_tables(pd.DataFrame(nodes), pd.DataFrame([row]))
    assert "so it has no length" in refused(nodes, [{**row, "length_m": None}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"station": "A"}, "station 'A' is no node of kind station"),
        ({"headway_min": 0}, "headway_min is 0"),
        ({"dwell_min": -1}, "dwell_min is -1"),
        ({"class": "plane"}, "class is 'plane'"),
    ],
)
def test_bad_service_is_named(change: dict[str, Any], said: str) -> None:
    nodes = [*NODES, node("T", 107.1, 27, "station")]
    rows = service("G", ["S", "T"], [10])
    check_tables(pd.DataFrame(nodes), pd.DataFrame(LINKS), pd.DataFrame(rows))
    assert said in refused(nodes, LINKS, [{**row, **change} for row in rows])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (service("G", ["S", "T"], [0]), "run_min must be above 0"),
        (service("G", ["S"], []), "at least two are needed"),
        (
            [{**row, "open_year": 2020 + row["seq"]} for row in service("G", ["S", "T"], [5])],
            "open_year differs between its rows",
        ),
        (service("G", ["S", "T", "T"], [5, 5]), "calls at a station twice running"),
        (service("G", ["S", "T"], [5])[1:], "seq is not 1, 2, 3"),
        ([service("G", ["S", "T"], [5])[0], {**service("G", ["S", "T"], [5])[1], "headway_min": 9}],
         "headway_min differs"),
    ],
)  # fmt: skip
def test_bad_sequence_is_named(rows: list[Any], said: str) -> None:
    assert said in refused([*NODES, node("T", 107.1, 27, "station")], LINKS, rows)


def test_geometry_needs_a_crs_and_is_transformed() -> None:
    plain = pd.DataFrame(NODES).drop(columns=["lon", "lat"])
    points = [Point(row["lon"], row["lat"]) for row in NODES]
    with pytest.raises(CRSError, match="no coordinate reference system"):
        check_tables(gpd.GeoDataFrame(plain, geometry=points), pd.DataFrame(LINKS))
    web = gpd.GeoDataFrame(plain, geometry=points, crs=4326).to_crs(3857)
    made = check_tables(web, pd.DataFrame(LINKS))
    assert made.points().crs == "EPSG:4326"
    assert made.lonlat[1, 0] == pytest.approx(107.01)


def test_drawn_line_gives_the_length() -> None:
    line = LineString([(107, 27), (107, 27.1), (107.01, 27)])
    rows = gpd.GeoDataFrame(
        pd.DataFrame([{**LINKS[0], "length_m": None}]), geometry=[line], crs=4326
    )
    chord = check_tables(pd.DataFrame(NODES), rows).chord_m[0]
    assert chord == pytest.approx(2 * 11_080, rel=0.01)


def test_a_line_drawn_backwards_is_turned() -> None:
    line = LineString([(107.01, 27), (107.0, 27.1), (107, 27)])
    rows = gpd.GeoDataFrame(pd.DataFrame([LINKS[0]]), geometry=[line], crs=4326)
    turned = check_tables(pd.DataFrame(NODES), rows).lines.geometry[0]
    assert turned.coords[0] == (107, 27)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (LineString([(100, 20), (101, 20)]), "from its nodes; 100 m are allowed"),
        (LineString(), "geometry is not a line"),
        (Point(107, 27), "geometry is not a line"),
        (None, "geometry is not a line"),
    ],
)
def test_a_line_that_does_not_lead_from_node_to_node(shape: object, said: str) -> None:
    rows = gpd.GeoDataFrame(pd.DataFrame([LINKS[0]]), geometry=[shape], crs=4326)
    with pytest.raises(TableError, match=said):
        check_tables(pd.DataFrame(NODES), rows)


def test_nodes_are_points() -> None:
    plain = pd.DataFrame(NODES[:2]).drop(columns=["lon", "lat"])
    shapes = [Point(107, 27), LineString([(107, 27), (108, 27)])]
    with pytest.raises(TableError, match="row 3: geometry is not a point"):
        check_tables(gpd.GeoDataFrame(plain, geometry=shapes, crs=4326), pd.DataFrame(LINKS[:1]))


def test_kilometres_for_metres_are_noticed() -> None:
    nodes = [node("A", 107, 27), node("B", 108, 27)]
    assert "metres are expected" in refused(nodes, [link("A", "B", 0.099)])


def test_files_are_read_as_utf8_only(tmp_path: Path) -> None:
    pd.DataFrame(NODES).to_csv(tmp_path / "nodes.csv", index=False)
    with pytest.raises(TableError, match="there is no such file"):
        Tables.read(tmp_path)
    named = [{**LINKS[0], "name": "沪昆高速"}]
    pd.DataFrame(named).to_csv(tmp_path / "links.csv", index=False)
    assert Tables.read(tmp_path).links["name"].tolist() == ["沪昆高速"]
    pd.DataFrame(named).to_csv(tmp_path / "links.csv", index=False, encoding="gb18030")
    with pytest.raises(TableError, match="not UTF-8"):
        Tables.read(tmp_path)
    (tmp_path / "links.csv").write_text("")
    with pytest.raises(TableError, match="not a readable CSV"):
        Tables.read(tmp_path)


def test_empty_tables_are_refused() -> None:
    with pytest.raises(TableError, match="there is no row"):
        check_tables(pd.DataFrame(NODES), pd.DataFrame(LINKS).iloc[:0])
