"""The network and its views."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid

from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network import Facts, Network
from urbangeo.network.network import check_modes

NODES = [node(name, 107 + place * 0.01, 27) for place, name in enumerate("ABCD")]


def dated() -> Network:
    links = [
        link("A", "B", 1),
        link("B", "C", 1, open_year=2020),
        link("C", "D", 1, status="在建", planned_year=2025),
        link("A", "C", 9, status="前期"),
        link("B", "D", 9, status="在建", open_year=2023, planned_year=2021),
    ]
    return network(NODES, links, first_year=2015, last_year=2035)


@pytest.mark.parametrize(
    ("year", "ids"),
    [
        (2019, {"A-B"}),
        (2020, {"A-B", "B-C"}),
        # what really opened in 2023 had not opened in 2022, whatever was promised
        (2022, {"A-B", "B-C"}),
        (2023, {"A-B", "B-C", "B-D"}),
        (2025, {"A-B", "B-C", "B-D", "C-D"}),
        (2035, {"A-B", "B-C", "B-D", "C-D"}),
    ],
)
def test_at_a_year(year: int, ids: set[str]) -> None:
    view = dated().at(year)
    assert set(view.links["id"]) == ids
    assert view.year == year
    assert view.history == (f"at({year})",)


@pytest.mark.parametrize("year", [2014, 2036])
def test_a_year_that_the_tables_cannot_tell(year: int) -> None:
    with pytest.raises(NetworkError, match="it covers 2015 to 2035"):
        dated().at(year)


@pytest.mark.parametrize("year", [2022.5, "2022", True])
def test_a_year_is_a_whole_number(year: object) -> None:
    with pytest.raises(InputError, match="a whole number"):
        dated().at(year)  # type: ignore[arg-type]


def test_where_status() -> None:
    assert set(dated().where("在建").links["id"]) == {"C-D", "B-D"}
    assert set(dated().where(["在建", "前期"]).links["id"]) == {"C-D", "B-D", "A-C"}
    with pytest.raises(UnknownNameError, match="已建成"):
        dated().where("已建")


def test_without_closes_a_link_and_names_an_unknown_one() -> None:
    net = dated()
    assert "A-B" not in set(net.without("A-B").links["id"])
    assert "A-B" in set(net.links["id"])
    with pytest.raises(UnknownNameError, match="A-B"):
        net.without("A-BB")


def test_a_view_without_links_is_refused() -> None:
    with pytest.raises(NetworkError, match="leaves no link"):
        dated().where("研究")


def test_a_view_moves_to_another_year_and_keeps_what_was_closed() -> None:
    net = dated()
    assert set(net.at(2022).at(2025).links["id"]) == set(net.at(2025).links["id"])
    assert set(net.without("A-B").at(2022).at(2025).links["id"]) == {"B-C", "B-D", "C-D"}
    assert net.at(2022).at(2025).history == ("at(2022)", "at(2025)")


def test_tables_without_years_cannot_tell_a_year() -> None:
    with pytest.raises(NetworkError, match="no link has an open_year"):
        square_grid(2).at(2022)
    net = network(NODES, [link("A", "B", 1), link("B", "C", 1, open_year=2020)])
    assert len(net.at(2020).links) == 2
    with pytest.raises(NetworkError, match="the earliest open_year is 2020"):
        net.at(1066)


def railway() -> Network:
    nodes = [node("S", 107, 27, "station"), node("T", 107.1, 27, "station")]
    rail = {**link("S", "T", 10, "hsr"), "id": "rail", "mode": "rail"}
    return network(nodes, [link("S", "T", 90), rail], service("G", ["S", "T"], [10]))


def test_trains_are_stopped_by_closing_their_service() -> None:
    net = railway()
    assert len(net.without("G").services) == 0
    assert len(net.services) == 2
    with pytest.raises(NetworkError, match="no link for the modes rail"):
        net.without("G").graph(("rail",))
    with pytest.raises(NetworkError, match="closing it stops none"):
        net.without("rail")


def test_scaled_doubles_the_speed_of_roads() -> None:
    net = square_grid(2)
    assert net.graph().cost_ms.tolist() == [60_000] * 8
    assert net.scaled(2).graph().cost_ms.tolist() == [30_000] * 8
    assert net.scaled(2).scaled(0.5).graph().cost_ms.tolist() == [60_000] * 8
    km = np.array([1000.0])
    assert net.scaled(2).leg_ms(km, "road") * 2 == net.leg_ms(km, "road")
    for bad in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="above 0"):
            net.scaled(bad)


def test_rail_keeps_its_timetable_when_roads_are_scaled() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 107.1, 27, "station")]
    net = network(nodes, [link("S", "T", 9)], service("G", ["S", "T"], [10]))
    rail = net.graph(("rail",)).cost_ms.sum()
    assert net.scaled(0.5).graph(("rail",)).cost_ms.sum() == rail


def test_tables_handed_out_do_not_reach_inside() -> None:
    net = square_grid(2)
    digest = net.digest
    net.links["length_m"] = 1.0
    net.nodes["id"] = "x"
    frame = net.links
    frame.loc[0, "class"] = "county"
    assert net.links["class"].tolist() == ["national"] * 4
    assert net.digest == digest == square_grid(2).digest


def test_the_digest_tells_views_apart() -> None:
    net = dated()
    views = [net, net.at(2022), net.at(2025), net.without("A-B"), net.scaled(0.9)]
    assert len({view.digest for view in views}) == len(views)


def test_the_digest_knows_kinds_and_geometry() -> None:
    def made(kind: str, lon: float) -> str:
        nodes = [node("A", 107, 27), node("B", lon, 27, kind)]
        return network(nodes, [link("A", "B", 1)]).digest

    digests = [made("junction", 107.1), made("waypoint", 107.1), made("junction", 107.2)]
    assert len(set(digests)) == 3


def test_arrays_inside_cannot_be_written() -> None:
    net = square_grid(2)
    with pytest.raises(ValueError, match="read-only"):
        net.length_m[:] = 1


def test_views_share_the_tables() -> None:
    net = dated()
    assert net.at(2022)._tables is net._tables


def test_length_is_stated_or_chord_times_sinuosity() -> None:
    from dataclasses import replace
    from types import MappingProxyType

    row = {**link("A", "B", 1), "length_m": None}
    winding = replace(PROFILE, sinuosity=MappingProxyType({"national": 1.5}))
    rows = pd.DataFrame([row, link("C", "D", 2)])
    net = Network.from_tables(pd.DataFrame(NODES), rows, profile=winding)
    chord = net._tables.chord_m[0]
    assert net.links["length_m"].tolist() == pytest.approx([1.5 * chord, 2000])


def test_a_stated_speed_is_driven_in_the_profiles_share() -> None:
    net = network(NODES, [link("A", "B", 1, speed_kmh=80), link("B", "C", 1)])
    # 80 km/h stated, 60 driven: a minute, as on the national road beside it
    assert net.speed_kmh.tolist() == [60, 60]
    assert net.scaled(0.5).speed_kmh.tolist() == [30, 30]
    slower = network(NODES, [link("A", "B", 1, speed_kmh=40), link("B", "C", 1)])
    assert slower.digest != net.digest


def test_one_way_has_one_arc() -> None:
    net = network(NODES, [link("A", "B", 1, oneway=1), link("B", "C", 1)])
    assert net.graph().n_arcs == 3


def test_modes() -> None:
    assert check_modes(["rail", "road"]) == ("road", "rail")
    assert check_modes("road") == ("road",)
    with pytest.raises(UnknownNameError, match="road"):
        check_modes(["raod"])
    with pytest.raises(InputError, match="No mode"):
        check_modes([])
    with pytest.raises(NetworkError, match="no link for the modes rail"):
        square_grid(2).graph(("rail",))


def test_networkx_gives_the_same_times() -> None:
    net = square_grid(4)
    graph = net.to_networkx()
    assert graph.number_of_edges() == 2 * len(net.links)
    times = nx.single_source_dijkstra_path_length(graph, "0,0", weight="minutes")
    # on a grid of one-minute steps the time is the number of steps
    assert {name: round(time) for name, time in times.items()} == {
        f"{r},{c}": r + c for r in range(4) for c in range(4)
    }


def test_a_folder_of_tables_is_a_network(tmp_path: Path) -> None:
    pd.DataFrame(NODES).to_csv(tmp_path / "nodes.csv", index=False)
    pd.DataFrame([link("A", "B", 1, open_year=2020)]).to_csv(tmp_path / "links.csv", index=False)
    (tmp_path / "profiles.toml").write_text(
        'default = "p"\n[sinuosity]\nnational = 1\n[p.road_kmh]\nnational = 60\n'
        "[p.access]\nkmh = 12\ncircuity = 1\nmax_km = 5\n"
    )
    (tmp_path / "network.toml").write_text('title = "小网"\nfirst_year = 2019\nlast_year = 2021\n')
    net = Network.from_folder(tmp_path, 2020)
    assert (net.facts.title, len(net.links)) == ("小网", 1)
    for text, said in (
        ('titel = "小网"', "unknown key 'titel'"),
        ('first_year = "2015"', "first_year is '2015', which is of the wrong type"),
        ('attribution = "CC BY"', "attribution is 'CC BY', which is of the wrong type"),
        ("title = ", "is not TOML"),
    ):
        (tmp_path / "network.toml").write_text(text, encoding="utf-8")
        with pytest.raises(NetworkError, match=said):
            Network.from_folder(tmp_path)
    (tmp_path / "network.toml").unlink()
    (tmp_path / "profiles.toml").unlink()
    with pytest.raises(NetworkError, match="a network needs its speeds"):
        Network.from_folder(tmp_path)


def test_describe_carries_what_a_result_must_carry() -> None:
    facts = dated().at(2022).describe()
    assert facts["year"] == 2022
    assert facts["profile"] == "paper"
    assert len(facts["digest"]) == 64
    assert not facts["schematic"]
    assert np.isscalar(facts["urbangeo"])


def test_what_a_network_says_of_itself_survives_networkx(tmp_path: Path) -> None:
    import osmnx

    said = {"schematic": True, "first_year": 2015, "last_year": 2035, "error_share": 0.1}
    rows = dated().links.drop(columns="geometry").to_dict("records")
    net = network(NODES, rows, **said, attribution=("甲", "乙"))
    graph = net.to_networkx()
    assert Network.from_osmnx(graph, profile=PROFILE).facts == net.facts
    osmnx.save_graphml(graph, tmp_path / "n.graphml")
    import networkx as nx

    text = nx.read_graphml(tmp_path / "n.graphml", force_multigraph=True)
    assert Facts.of_graph(text.graph) == net.facts
    assert Facts.of_graph({"crs": "EPSG:4326"}).attribution == (
        "© OpenStreetMap contributors (ODbL)",
    )
