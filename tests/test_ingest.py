"""The report of a reading, and the components that it tells."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from urbangeo.network.ingest import IngestReport, strong_components


def report() -> IngestReport:
    return IngestReport(
        source="guizhou.osm.pbf",
        read={"nodes": 1200, "ways": 90},
        kept={"ways": 80, "road_links": 95},
        dropped={"access": 7, "area": 3, "ferry": 0},
        repaired={"maxspeed_unreadable": 1},
        assumed={"motorway_link": 12},
        components=(3, 95, 2),
        snapping={"snapped": 4, "median_m": 12.34},
    )


def test_the_report_reads_in_chinese() -> None:
    text = str(report())
    assert "读入报告：guizhou.osm.pbf" in text
    assert "节点 1,200" in text
    assert "舍弃：不准社会车辆通行 7；面状广场 3" in text
    assert "轮渡 0" not in text
    assert "限速无法识读 1" in text
    assert "距离中位数（米） 12.3" in text
    assert "强连通分量：3 个，最大者 95 个节点，占 95.0%；其余保留并标出" in text


def test_the_report_is_a_table() -> None:
    frame = report().to_frame()
    assert frame.columns.tolist() == ["section", "item", "label", "value"]
    row = frame.set_index(["section", "item"]).loc[("dropped", "access")]
    assert (row["label"], row["value"]) == ("不准社会车辆通行", 7)
    shares = frame.set_index(["section", "item"])["value"]
    assert shares["components", "share"] == pytest.approx(0.95)
    assert shares["components", "largest"] == 95


def test_the_report_is_immutable() -> None:
    made = report()
    with pytest.raises(TypeError):
        made.dropped["access"] = 0  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        made.source = "x"  # type: ignore[misc]


def test_an_unknown_item_is_shown_as_it_is() -> None:
    assert "dragons 3" in str(IngestReport("x", dropped={"dragons": 3}))


def test_a_report_of_nothing() -> None:
    made = IngestReport("x")
    assert math.isnan(made.share_in_largest)
    assert made.to_frame().empty
    assert str(made) == "读入报告：x"


def test_strong_components() -> None:
    # 0 - 1 - 2 two-way; 2 -> 3 one-way out; 4 -> 5 -> 4; 6 alone
    tail, head = np.array([0, 1, 2, 4, 5]), np.array([1, 2, 3, 5, 4])
    oneway = np.array([False, False, True, True, True])
    component, sizes = strong_components(7, tail, head, oneway)
    assert component.tolist() == [0, 0, 0, 2, 1, 1, -1]
    assert sizes == (3, 2, 1)


def test_many_parallel_links_are_still_one_connection() -> None:
    tail, head = np.zeros(300, dtype=np.int64), np.ones(300, dtype=np.int64)
    _, sizes = strong_components(2, tail, head, np.zeros(300, dtype=bool))
    assert sizes == (2,)
