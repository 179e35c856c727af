"""Projects as groups of links: an invented table on an invented network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from grids import link, network, node, service

from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network import Network
from urbangeo.network.projects import PROJECT_COLUMNS, Projects, read_projects


def net() -> Network:
    nodes = [node("A", 107, 27, "station"), node("B", 107.2, 27, "station"), node("C", 107.4, 27)]
    plan = {"status": "在建", "planned_year": 2025, "cite": "p:1"}
    rail = {**link("A", "B", 20, "hsr", id="r1", name="甲乙铁路"), "mode": "rail"}
    links = [
        link("A", "B", 20, id="old"),
        link("B", "C", 20, id="e1", name="乙丙高速", **plan),
        link("A", "C", 45, id="e2", name="乙丙高速;甲丙高速", **plan),
        link("C", "A", 45, id="k", kind="county", name="丙连接线", **plan),
        rail,
    ]
    return network(nodes, links, service("G", ["A", "B"], [10], name="甲乙线", status="前期"))


def rows(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item": ["1", "2", "3"],
            "project": ["road", "road", "rail"],
            "drawn": ["links", "links", "services"],
            "ids": ["e1", "e1|e2|k", "r1|G|A"],
            "status": ["在建", "开工", "前期"],
            "planned_year": ["2025", "", ""],
            "cite": ["p:1", "q:2", "p:3"],
        }
    )
    return frame.assign(**changes)


def test_items_of_one_project_are_put_together() -> None:
    found = Projects.of(net(), rows())
    road, rail = found.all
    assert (road.key, road.links) == ("road", ("e1", "e2", "k"))
    assert (road.status, road.planned_year, road.cite) == ("在建;开工", "2025", "p:1;q:2")
    # a connecting road does not name the project
    assert road.title == "乙丙高速、乙丙高速/甲丙高速"
    assert (rail.railways, rail.services, rail.nodes) == (("r1",), ("G",), ("A",))
    assert rail.moving == ("G",)
    assert found.by_id["G"] == (rail,)
    assert len(found) == 2
    assert found.named(["rail"]) == (rail,)
    with pytest.raises(UnknownNameError, match="project 'ferry'"):
        found.named(["ferry"])


def test_without_a_table_planned_links_are_grouped_by_name_and_cite() -> None:
    found = Projects.of(net())
    assert [one.key for one in found.all] == [
        "乙丙高速（p:1）", "乙丙高速;甲丙高速（p:1）", "丙连接线（p:1）", "甲乙线",
    ]  # fmt: skip
    assert found.all[-1].services == ("G",)
    assert found.table.empty


def test_a_column_of_the_links_may_name_the_project() -> None:
    made = net()
    links = made.links.assign(project=["", "east", "east", "", ""])
    again = Network.from_tables(made.nodes, links, made.services, profile=made.profile)
    found = Projects.of(again)
    assert found.all[0].key == "east"
    assert found.all[0].links == ("e1", "e2")


def test_what_a_table_leaves_out_is_grouped_by_name() -> None:
    found = Projects.of(net(), rows().iloc[:1])
    assert [one.key for one in found.all][:2] == ["road", "乙丙高速;甲丙高速（p:1）"]


def test_a_file_reads_like_a_table(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "projects.csv", index=False)
    from_file = read_projects(tmp_path / "projects.csv", net())
    pd.testing.assert_frame_equal(from_file, read_projects(rows(), net()))
    assert tuple(from_file.columns) == PROJECT_COLUMNS
    assert from_file["ids"].tolist()[1] == ("e1", "e2", "k")


def test_ids_may_be_lists_and_years_numbers() -> None:
    table = rows(ids=[["e1"], ("e2", "k"), ["G"]], planned_year=[2025, None, float("nan")])
    found = read_projects(table, net())
    assert found["ids"].tolist() == [("e1",), ("e2", "k"), ("G",)]
    assert found["planned_year"].tolist() == ["2025", "", ""]


def test_every_finding_is_named_at_once() -> None:
    table = rows(
        item=["1", "1", "3"],
        project=["road", "", "rail"],
        drawn=["links", "none", "tunnel"],
        ids=["e1|x|y", "e2", ""],
        status=["在建", "开放", ""],
        planned_year=["soon", "", ""],
    )
    with pytest.raises(TableError) as caught:
        read_projects(table, net())
    assert caught.value.findings == [
        "row 3: item '1' stands in an earlier row already",
        "row 2: ids names 'x', 'y', which the network does not have as link, service or node",
        "row 2: planned_year is 'soon'; a year such as 2025 is expected",
        "row 3: project is empty",
        "row 3: drawn is 'none', but ids names some",
        "row 3: status is '开放'; known: 已建成, 在建, 开工, 前期, 研究",
        "row 4: drawn is 'tunnel'; known: links, services, node, none",
    ]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pd.DataFrame({"project": ["a"]}), "column 'ids' is missing; found: project"),
        (pd.DataFrame({"project": [], "ids": []}), "there is no row"),
    ],
)
def test_tables_that_lack_something_are_refused(table: pd.DataFrame, told: str) -> None:
    with pytest.raises(TableError, match=told):
        read_projects(table, net())


def test_a_missing_file_and_another_type_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        read_projects(tmp_path / "none.csv", net())
    with pytest.raises(InputError, match="projects is int"):
        read_projects(7, net())  # type: ignore[arg-type]


def test_the_bundled_table_fits_the_bundled_network() -> None:
    found = Projects.of(Network.backbone(None))
    assert len(found.table) > 0
    assert all(one.title for one in found.all)
    assert all(one in found.by_id for cell in found.table["ids"] for one in cell)
