"""Hinterlands and commuting zones, on networks whose answers are derived on paper."""

from __future__ import annotations

import numpy as np
import pytest
from grids import at, row_of_towns

from urbangeo.access.centres import commuting_zones, hinterlands


def test_the_main_centre_pulls_most() -> None:
    net = row_of_towns(10, 20, 30)
    cities = at(net, "AD", people=[100, 400])
    # C: A 30 min, D 30 min; pulls 100/900 and 400/900. B: 100/100 and 400/2500
    found = hinterlands(net, cities, at(net, "BC"), size="people")
    assert found.index.tolist() == ["#B", "#C"]
    assert found["main"].tolist() == ["#A", "#D"]
    assert found["main_name"].tolist() == ["A", "D"]
    assert found["main_share"].to_numpy() == pytest.approx([1 / 1.16, 0.8])
    assert found["main_min"].to_numpy() == pytest.approx([10, 30])
    assert found["second"].tolist() == ["#D", "#A"]
    assert found["second_share"].to_numpy() == pytest.approx([0.16 / 1.16, 0.2])
    assert found["nearest"].tolist() == ["#A", "#A"]


def test_a_place_that_no_centre_pulls_has_none() -> None:
    net = row_of_towns(10, 100)
    found = hinterlands(net, at(net, "A"), at(net, "BC"), cutoff=60)
    assert found["main"].tolist() == ["#A", None]
    assert found["main_share"].tolist() == [1, 0]
    assert found["second"].tolist() == [None, None]
    assert np.isnan(found["main_min"].iloc[1])
    nobody = hinterlands(net, at(net, "A", n=[0]), at(net, "B"), size="n")
    assert nobody["main"].tolist() == [None]
    assert nobody["nearest"].tolist() == ["#A"]


def test_commuting_zones_by_time() -> None:
    net = row_of_towns(10, 20, 30, 100)
    cities = at(net, "AD", people=[100, 400])
    homes = at(net, "BCDE", people=[5, 7, 400, 1])
    zones = commuting_zones(net, cities, homes, 30, size="people", population="people")
    assert zones.index.tolist() == ["#A", "#D"]
    assert zones["members"].tolist() == [["#B"], ["#D", "#C"]]
    assert zones["people"].tolist() == [5, 407]
    assert zones["farthest_min"].to_numpy() == pytest.approx([10, 30])
    assert zones.attrs["outside"] == ["#E"]
