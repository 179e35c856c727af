"""Measures of accessibility, on networks whose answers are derived on paper."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import at, link, network, node, row_of_towns, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access import opportunities
from urbangeo.access.measures import accessibility
from urbangeo.access.times import travel_times
from urbangeo.errors import InputError, UnknownNameError


def test_cumulative_counts_what_is_within_the_cutoff_inclusive() -> None:
    net = row_of_towns(10, 20, 30)
    schools = at(net, "AD", seats=[100, 50])
    # A 0/60, B 10/50, C 30/30, D 60/0 minutes
    found = accessibility(net, schools, at(net, "ABCD"), size="seats", cutoff=[30, 50])
    assert found.columns.tolist() == ["within_30", "within_50"]
    assert found.index.tolist() == ["#A", "#B", "#C", "#D"]
    assert found["within_30"].tolist() == [100, 100, 150, 50]
    assert found["within_50"].tolist() == [100, 150, 150, 50]
    one = accessibility(net, schools, at(net, "ABCD"), cutoff=29.999)
    assert one["within_29.999"].tolist() == [1, 1, 0, 1]


def test_every_node_is_an_origin_unless_others_are_named() -> None:
    net = row_of_towns(10, 20, 30)
    found = accessibility(net, at(net, "A"), cutoff=30)
    assert found.index.tolist() == list("ABCD")
    assert found["within_30"].tolist() == [1, 1, 1, 0]
    several = accessibility(net, at(net, "A"), cutoff=[10, 30])
    assert several.to_numpy().tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]


def test_on_foot_and_by_car_a_node_counts_by_the_faster() -> None:
    from dataclasses import replace

    from grids import PROFILE

    from urbangeo.network.profiles import AccessRule

    net = row_of_towns(10, 20)
    net = net.with_profile(replace(PROFILE, walk=AccessRule(kmh=5.0, circuity=1.0, max_km=3.0)))
    found = accessibility(net, at(net, "A"), cutoff=30, modes=("road", "walk"))
    assert found["within_30"].tolist() == [1, 1, 1]  # on foot C is 6 hours away


def test_to_and_from_differ_on_a_one_way_road() -> None:
    nodes = [node("A", 107, 27, "place"), node("B", 107.1, 27, "place"), node("C", 107.2, 27)]
    net = network(nodes, [link("A", "B", 10, oneway=1), link("B", "C", 10),
                          link("C", "A", 30, oneway=1)])  # fmt: skip
    shop, homes = at(net, "B"), at(net, "AC")
    to = accessibility(net, shop, homes, "nearest")["minutes_1"]
    away = accessibility(net, shop, homes, "nearest", direction="from")["minutes_1"]
    assert to.tolist() == pytest.approx([10, 10])
    assert away.tolist() == pytest.approx([40, 10])


@pytest.mark.parametrize(
    ("decay", "more", "weights"),
    [
        ("exponential", {"beta": 0.1}, [1.0, np.exp(-1), np.exp(-3)]),
        ("power", {"beta": 2.0}, [1.0, 0.01, 1 / 900]),  # below a minute counts as a minute
        ("logistic", {"beta": 0.1, "midpoint": 10}, [1 / (1 + np.exp(-1)), 0.5, 1 / (1 + np.e**2)]),
    ],
)
def test_gravity(decay: str, more: dict[str, float], weights: list[float]) -> None:
    net = row_of_towns(10, 20)
    found = accessibility(net, at(net, "A", beds=[8]), at(net, "ABC"), "gravity", size="beds",
                          decay=decay, **more)  # fmt: skip
    assert found["gravity"].to_numpy() == pytest.approx(8 * np.array(weights))
    short = accessibility(net, at(net, "A"), at(net, "ABC"), "gravity", cutoff=10, decay=decay,
                          **more)  # fmt: skip
    assert short["gravity"].to_numpy() == pytest.approx([weights[0], weights[1], 0])


def test_a_logistic_decay_far_out_does_not_overflow() -> None:
    net = row_of_towns(1400)
    found = accessibility(net, at(net, "A"), at(net, "B"), "gravity", decay="logistic", beta=50,
                          midpoint=1)  # fmt: skip
    assert found["gravity"].tolist() == [0.0]


def test_the_k_nearest_and_which_they_are() -> None:
    net = row_of_towns(10, 20, 30)
    clinics = at(net, "ABD", doctors=[1, 0, 2])
    two = accessibility(net, clinics, at(net, "BC"), "nearest", k=2)
    assert two["minutes_1"].tolist() == pytest.approx([0, 20])
    assert two["nearest_1"].tolist() == ["#B", "#B"]
    assert two["minutes_2"].tolist() == pytest.approx([10, 30])
    assert two["nearest_2"].tolist() == ["#A", "#A"]  # of A and D, both 30 from C, the first
    staffed = accessibility(net, clinics, at(net, "BC"), "nearest", size="doctors")
    assert staffed["nearest_1"].tolist() == ["#A", "#A"]
    within = accessibility(net, clinics, at(net, "C"), "nearest", k=3, cutoff=20)
    assert within["nearest_2"].tolist() == [None]
    assert within["minutes_2"].isna().all()


def test_two_step_floating_catchment_by_hand() -> None:
    net = row_of_towns(10, 20, 30)
    homes = at(net, "ABC", people=[100, 0, 50])
    clinics = at(net, "AB", beds=[10, 6])
    found = accessibility(net, clinics, homes, "e2sfca", size="beds", population="people")
    # weights: 1 to 10 min, 0.68 to 20, 0.22 to 30
    # A's clinic: A 0 min x1 x100, B 10 x1 x0, C 30 x0.22 x50 -> 111; B's: A 1x100, C 0.68x50 -> 134
    a, b = 10 / 111, 6 / 134
    expected = [a + b, a + b, 0.22 * a + 0.68 * b]
    assert found["e2sfca"].to_numpy() == pytest.approx(expected)
    # what is given out is what there is
    given = (found["e2sfca"] * homes["people"]).sum()
    assert given == pytest.approx(16)
    assert found.attrs["unserved"] == []


def test_a_clinic_that_serves_nobody_gives_nobody_anything() -> None:
    net = row_of_towns(10, 100)
    homes = at(net, "ABC", people=[0, 0, 50])
    found = accessibility(net, at(net, "A"), homes, "e2sfca", population="people")
    assert found["e2sfca"].tolist() == [0, 0, 0]
    assert found.attrs["unserved"] == ["#A"]


def test_opportunities_off_the_network_are_named() -> None:
    net = row_of_towns(10)
    far = gpd.GeoDataFrame({"name": ["x"]}, geometry=[Point(107.05, 27.4)], crs=4326, index=[7])
    found = accessibility(net, pd.concat([at(net, "A"), far]), cutoff=10)
    assert found.attrs["unsnapped"] == [7]
    assert found["within_10"].tolist() == [1, 1]


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_every_measure_is_a_sum_over_the_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = square_grid(4, 3.0)
    spots = [Point(107 + x, 27 + y) for x, y in rng.uniform(-0.02, 0.11, (7, 2))]
    offered = gpd.GeoDataFrame({"n": rng.integers(0, 9, 4)}, geometry=spots[:4], crs=4326)
    homes = gpd.GeoDataFrame(geometry=spots[4:], crs=4326)
    minutes = travel_times(net, homes, offered).to_numpy()
    weight = offered["n"].to_numpy()
    cut = float(rng.uniform(1, 20))
    within = accessibility(net, offered, homes, size="n", cutoff=cut).to_numpy()[:, 0]
    assert within == pytest.approx((minutes <= round(cut * 60_000) / 60_000) @ weight)
    pull = accessibility(net, offered, homes, "gravity", size="n", beta=0.2)["gravity"].to_numpy()
    assert pull == pytest.approx(np.exp(-0.2 * minutes) @ weight)
    near = accessibility(net, offered, homes, "nearest", k=4) if weight.all() else None
    if near is not None:
        assert near[[f"minutes_{i}" for i in range(1, 5)]].to_numpy() == pytest.approx(
            np.sort(minutes, axis=1)
        )


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    net = square_grid(5)
    every = gpd.GeoDataFrame(geometry=net.nodes.geometry)
    asked = [
        accessibility(net, every, cutoff=3),
        accessibility(net, every, every, "nearest", k=3),
        accessibility(net, every, measure="gravity", beta=1),
    ]
    monkeypatch.setattr(opportunities, "_BLOCK_BYTES", 1)
    again = [
        accessibility(net, every, cutoff=3),
        accessibility(net, every, every, "nearest", k=3),
        accessibility(net, every, measure="gravity", beta=1),
    ]
    for one, other in zip(asked, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "cutoff is missing"),
        ({"cutoff": 0}, "cutoff is 0; a number above 0"),
        ({"cutoff": float("nan")}, "cutoff is nan"),
        ({"cutoff": float("inf")}, "cutoff is inf"),
        ({"cutoff": []}, "one number of minutes is expected"),
        ({"cutoff": 30, "size": "beds"}, "no column 'beds'"),
        ({"cutoff": 30, "size": "minus"}, "minus: 2 place.s. .*first, A .*-1.0"),
        ({"measure": "gravity"}, "beta is missing"),
        ({"measure": "gravity", "beta": -1}, "beta is -1"),
        ({"measure": "gravity", "beta": 1, "decay": "logistic"}, "midpoint is missing"),
        ({"measure": "nearest", "k": 0}, "k is 0"),
        ({"measure": "nearest", "k": 3}, "k is 3; .* opportunities, 2,"),
        ({"measure": "nearest", "cutoff": [1, 2]}, "one number of minutes"),
        ({"measure": "e2sfca"}, "needs origins= and population="),
        ({"measure": "e2sfca", "zones": [(20, 0.5), (10, 1)]}, "ascending"),
        ({"measure": "e2sfca", "zones": [(10, 0.5), (20, 1)]}, "descending"),
    ],
)
def test_what_cannot_be_used_is_named(more: dict[str, object], told: str) -> None:
    net = row_of_towns(10)
    with pytest.raises(InputError, match=told):
        accessibility(net, at(net, "AB", minus=[-1, None]), **more)  # type: ignore[arg-type]


def test_unknown_measures_and_decays_are_refused() -> None:
    net = row_of_towns(10)
    with pytest.raises(UnknownNameError, match=r"measure 'cumulativ'.*cumulative"):
        accessibility(net, at(net, "A"), measure="cumulativ", cutoff=1)
    with pytest.raises(UnknownNameError, match="decay 'linear'"):
        accessibility(net, at(net, "A"), measure="gravity", decay="linear", beta=1)


def test_no_opportunity_at_all_is_refused() -> None:
    net = row_of_towns(10)
    with pytest.raises(InputError, match="the table has no row"):
        accessibility(net, at(net, "A").iloc[:0], cutoff=10)
