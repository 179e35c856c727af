"""Nodes of structures as points: the gazetteer's place, the seat, the middle of counties, none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from shapely.geometry import Point, box

from urbangeo.maps.nodes import node_points
from urbangeo.plans import plan

PLAN = plan(Path(__file__).parent / "data" / "lanchuan-2030")


def test_each_node_where_it_can_be_found() -> None:
    found = node_points(PLAN.structures, PLAN).set_index("id")
    assert len(found) == 9
    assert found.geometry["lc30-structure-001"] == Point(100.25, 30.25)
    assert found["geometry_from"]["lc30-structure-001"] == "place or seat"
    # 湖口新区 has no county and is in no gazetteer.
    assert found.geometry["lc30-structure-009"] is None
    assert found["geometry_from"]["lc30-structure-009"] == ""
    assert found["schematic"].all()
    assert found["precision_m"].isna().all()
    assert found.crs.to_epsg() == 4326


def test_a_node_of_several_counties_stands_inside_them() -> None:
    rows = PLAN.structures
    rows["node"] = "某片区"
    rows["adcodes"] = "990101;990102"
    both = node_points(rows, PLAN).geometry
    assert all(box(100, 30, 101, 30.5).contains(one) for one in both)
    assert list(node_points(rows, PLAN)["geometry_from"].unique()) == ["counties"]


def test_a_node_of_one_county_stands_at_its_seat() -> None:
    rows = PLAN.structures.iloc[:1]
    rows = rows.assign(node="某新区", adcodes="990104")
    assert isinstance(rows, pd.DataFrame)
    assert list(node_points(rows, PLAN).geometry) == [Point(100.5, 30.75)]
