"""Nodes and ways of OpenStreetMap files: any order, doubles, gaps, numbers that are none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from osmfiles import ROAD, ends, grid, read_drawn, write_osm, write_xml, xml_nodes, xml_way

from urbangeo.errors import InputError
from urbangeo.network.osm import read_osm

pytest.importorskip("osmium", reason="the extra osm is not installed")


def test_a_bar_is_shown_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_osm(tmp_path / "x.osm.pbf", grid(2), [(1, [1, 2], ROAD)])
    read_osm(path)
    assert capsys.readouterr().out == ""
    read_osm(path, progress=True)
    assert "x.osm.pbf" in capsys.readouterr().out


def test_clipped_ways_keep_what_is_there(tmp_path: Path) -> None:
    nodes = grid(6)
    del nodes[3]
    ways = [
        (1, [1, 2, 3, 4, 5, 6], ROAD),  # a gap in its middle: two parts
        (2, [99, 1, 98], {"highway": "tertiary"}),  # one node left
        (3, [97, 96], ROAD),  # none
        (4, [], ROAD),
    ]
    made = read_drawn(tmp_path, nodes, ways)
    assert ends(made) == [("n1", "n2"), ("n4", "n6")]
    assert made.report.repaired == {"clipped": 1, "missing_refs": 5}
    assert made.report.dropped == {"no_nodes": 2, "one_node": 1}
    assert made.report.kept["ways"] == 1


def test_nodes_that_stand_after_the_ways_are_found(tmp_path: Path) -> None:
    body = xml_way(1, [1, 2, 3], highway="primary") + xml_nodes(grid(3))
    assert ends(read_osm(write_xml(tmp_path / "x.osm", body))) == [("n1", "n3")]


def test_nodes_may_stand_in_any_order(tmp_path: Path) -> None:
    nodes = dict(reversed(grid(5).items()))
    made = read_osm(write_osm(tmp_path / "x.osm.pbf", nodes, [(1, [1, 2, 3, 4, 5], ROAD)]))
    assert made.xy[:, 0].tolist() == [107.0, 107.01, 107.02, 107.03, 107.04]


def test_repeated_node_numbers_take_the_last_place(tmp_path: Path) -> None:
    body = xml_nodes(grid(2)) + '<node id="2" lon="107.5" lat="27.0"/>'
    made = read_osm(write_xml(tmp_path / "x.osm", body + xml_way(1, [1, 2], highway="primary")))
    assert made.nodes["lon"].tolist() == [107.0, 107.5]
    assert made.report.repaired == {"duplicate_nodes": 1}


def test_repeated_way_numbers_take_the_last_way(tmp_path: Path) -> None:
    ways = [(1, [1, 2], ROAD), (1, [2, 3], ROAD), (2, [3, 4], {"highway": "service"})]
    made = read_drawn(tmp_path, grid(4), ways)
    assert ends(made) == [("n2", "n3"), ("n3", "n4")]
    assert made.report.repaired == {"duplicate_ways": 1}


def test_node_numbers_may_be_huge_or_negative(tmp_path: Path) -> None:
    far = 2**52 + 1
    nodes = {-7: (107.0, 27.0), 2**41: (107.01, 27.0), far: (107.02, 27.0)}
    made = read_osm(write_osm(tmp_path / "x.osm", nodes, [(1, [-7, 2**41, far], ROAD)]))
    assert set(made.nodes["id"]) == {"n-7", f"n{far}"}


def test_a_number_that_fits_nowhere_is_refused(tmp_path: Path) -> None:
    body = f'<node id="{2**63}" lon="107" lat="27"/>'
    with pytest.raises(InputError, match=r"x\.osm is damaged"):
        read_osm(write_xml(tmp_path / "x.osm", body))


def test_coordinates_out_of_range_count_as_missing(tmp_path: Path) -> None:
    body = xml_nodes(grid(3)) + '<node id="4" lon="107.03" lat="95"/>'
    body += '<node id="5" lon="190" lat="27"/><node id="6"/>'
    body += xml_way(1, [1, 2, 3, 4, 5, 6], highway="primary")
    made = read_osm(write_xml(tmp_path / "x.osm", body))
    assert ends(made) == [("n1", "n3")]
    assert made.report.repaired == {"clipped": 1, "missing_refs": 3, "node_out_of_range": 3}


@pytest.mark.parametrize("place", ["abc", "500", "1e9", "nan"])
def test_coordinates_that_are_none_are_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(InputError, match=r"x\.osm is damaged"):
        read_osm(write_xml(tmp_path / "x.osm", f'<node id="1" lon="107" lat="{place}"/>'))


def test_ways_without_their_nodes_are_no_network(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "x.osm.pbf", {}, [(1, [1, 2], ROAD)])
    with pytest.raises(InputError, match="holds no node of its ways"):
        read_osm(path)
    path = write_osm(tmp_path / "x.osm.pbf", grid(1), [(1, [1, 2], ROAD)])
    with pytest.raises(InputError, match=r"of which two nodes are there.*1 one_node"):
        read_osm(path)


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "x.osm.pbf", grid(100, 100), [(1, [1, 2], ROAD)])
    with pytest.raises(InputError, match=r"needs more than 0\.0001 GB"):
        read_osm(path, memory_gb=0.0001)


def test_without_osmium_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_osm(tmp_path / "x.osm.pbf", grid(2), [(1, [1, 2], ROAD)])
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(InputError, match=r"urbangeo\[osm\]"):
        read_osm(path)
