"""Rail must be boarded: entering 10, half the headway of 20, dwell 2, change 4, leaving 5."""

from __future__ import annotations

import numpy as np
import pytest
from grids import link, network, node, service
from scipy.sparse.csgraph import dijkstra

from urbangeo.errors import NetworkError
from urbangeo.network import Network

STATIONS = [node(name, 107 + place * 0.2, 27, "station") for place, name in enumerate("ABCD")]


def minutes(net: Network, start: str, end: str) -> float:
    ids = list(net.nodes["id"])
    found = dijkstra(net.graph(("rail",)).matrix(), indices=ids.index(start))
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


def test_two_services_of_one_line_share_the_station() -> None:
    net = railway(
        service("slow", ["A", "B", "C"], [20, 15], headway_min=10),
        service("fast", ["A", "C"], [25], headway_min=30),
    )
    # the slow train takes 10 + 5 + 20 + 2 + 15 + 5, the fast one 10 + 15 + 25 + 5
    assert minutes(net, "A", "C") == 55
    assert minutes(net, "A", "B") == 10 + 5 + 20 + 5


def test_a_station_without_trains_is_not_reached() -> None:
    net = railway(service("G1", ["A", "B"], [20]))
    assert np.isinf(minutes(net, "A", "D"))


def test_a_class_without_boarding_rule_is_refused() -> None:
    net = railway(service("M1", ["A", "B"], [5], **{"class": "metro"}))
    with pytest.raises(NetworkError, match="no boarding rule for metro"):
        net.graph(("rail",))
