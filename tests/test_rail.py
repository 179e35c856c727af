"""Rail must be boarded: entering 10, half the headway of 20, dwell 2, change 4, leaving 5."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from grids import PROFILE, link, network, node, service
from scipy.sparse.csgraph import dijkstra

from urbangeo.errors import NetworkError
from urbangeo.network import Network
from urbangeo.network.profiles import AccessRule, BoardingRule, CarRule

STATIONS = [node(name, 107 + place * 0.2, 27, "station") for place, name in enumerate("ABCD")]


def minutes(net: Network, start: str, end: str, modes: tuple[str, ...] = ("rail",)) -> float:
    ids = list(net.nodes["id"])
    found = dijkstra(net.graph(modes).matrix(), indices=ids.index(start))
    return float(found[ids.index(end)]) / 60_000


def railway(*services: list[dict[str, object]]) -> Network:
    rows = [row for one in services for row in one]
    return network([*STATIONS, node("P", 107, 27.1)], [link("P", "A", 1)], rows)


def test_one_train_by_hand() -> None:
    net = railway(service("G1", ["A", "B", "C"], [20, 15]))
    # entering 10, waiting 10, riding 20, leaving 5
    assert minutes(net, "A", "B") == 45
    # staying on board at B costs its dwell of 2 only
    assert minutes(net, "A", "C") == 10 + 10 + 20 + 2 + 15 + 5


def test_the_way_back_takes_as_long() -> None:
    net = railway(service("G1", ["A", "B", "C"], [20, 15]))
    assert minutes(net, "C", "A") == minutes(net, "A", "C")
    assert minutes(net, "C", "B") == 10 + 10 + 15 + 5


def test_a_change_costs_a_transfer_and_a_new_wait() -> None:
    net = railway(service("G1", ["A", "B"], [20]), service("G2", ["B", "C"], [15], headway_min=60))
    # enter 10, wait 10, ride 20, change 4, wait 15 (half of 60, capped), ride 15, leave 5
    assert minutes(net, "A", "C") == 10 + 10 + 20 + 4 + 15 + 15 + 5


def test_trains_of_one_line_share_their_frequency() -> None:
    net = railway(
        service("slow", ["A", "B", "C"], [20, 15], headway_min=10),
        service("fast", ["A", "C"], [25], headway_min=30),
    )
    # six slow and two fast trains an hour: one in 7.5 minutes, so 3.75 are waited for. Three of
    # four are slow: 20 + 2 + 15 = 37, one takes 25; on average 34. Waiting for the fast one
    # alone would be 15 + 25 = 40, for the slow ones 5 + 37 = 42.
    assert minutes(net, "A", "C") == 10 + 3.75 + 34 + 5
    assert minutes(net, "A", "B") == 10 + 5 + 20 + 5


def test_a_train_that_is_too_slow_is_not_boarded() -> None:
    net = railway(
        service("slow", ["A", "C"], [90], headway_min=60),
        service("fast", ["A", "C"], [25], headway_min=20),
    )
    # with the slow one the wait would fall from 10 to 7.5 and the ride rise from 25 to 41
    assert minutes(net, "A", "C") == 10 + 10 + 25 + 5
    rides = net.graph(("rail",)).rides
    assert rides is not None
    assert {tuple(rides.taken(one)) for one in range(len(rides))} == {("fast",)}


def test_the_wait_is_capped() -> None:
    net = railway(service("G1", ["A", "B"], [20], headway_min=240))
    assert minutes(net, "A", "B") == 10 + 15 + 20 + 5


def test_a_one_way_service_has_no_way_back() -> None:
    net = railway(service("G1", ["A", "B"], [20], oneway=1))
    assert minutes(net, "A", "B") == 45
    assert np.isinf(minutes(net, "B", "A"))


def test_one_boards_and_leaves_only_where_one_may() -> None:
    rows = service("G1", ["A", "B", "C"], [20, 15], oneway=1)
    rows = [
        {**row, "boarding": row["station"] == "A", "alighting": row["station"] == "C"}
        for row in rows
    ]
    net = railway(rows)
    assert minutes(net, "A", "C") == 10 + 10 + 37 + 5
    assert np.isinf(minutes(net, "A", "B"))
    assert np.isinf(minutes(net, "B", "C"))


def test_a_loop_line_is_ridden_the_short_way() -> None:
    net = railway(service("ring", ["A", "B", "C", "A"], [20, 15, 10]))
    # C lies 20 + 2 + 15 one way round and 10 the other
    assert minutes(net, "A", "C") == 10 + 10 + 10 + 5
    assert minutes(net, "A", "B") == 10 + 10 + 20 + 5


def test_between_two_classes_one_leaves_and_enters_on_foot() -> None:
    boarding = BoardingRule(entry_min=3, exit_min=2, transfer_min=1, wait_share=0.5, wait_cap_min=5)
    rail = MappingProxyType({**PROFILE.rail, "metro": boarding})
    profile = replace(PROFILE, rail=rail, car=CarRule(drop_off_min=6, pick_up_min=7))
    rows = [
        *service("G1", ["A", "B"], [20]),
        *service("M1", ["B", "C"], [8], headway_min=4, **{"class": "metro"}),
    ]
    plain = railway(rows)
    net = replace(plain, profile=profile)
    # dropped off 6, enter 10, wait 10, ride 20, leave 5, enter 3, wait 2, ride 8, leave 2, met 7
    assert minutes(net, "A", "C") == 6 + 10 + 10 + 20 + 5 + 3 + 2 + 8 + 2 + 7
    walking = replace(profile, walk=AccessRule(kmh=6, circuity=1, max_km=2))
    on_foot = replace(plain, profile=walking)
    assert minutes(on_foot, "A", "C", ("walk", "rail")) == 10 + 10 + 20 + 5 + 3 + 2 + 8 + 2


def test_a_station_without_trains_is_not_reached() -> None:
    net = railway(service("G1", ["A", "B"], [20]))
    assert np.isinf(minutes(net, "A", "D"))


def test_a_class_without_boarding_rule_is_refused() -> None:
    net = railway(service("M1", ["A", "B"], [5], **{"class": "metro"}))
    with pytest.raises(NetworkError, match="no boarding rule for metro"):
        net.graph(("rail",))
