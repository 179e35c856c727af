"""How sure a verdict is: other profiles, and chance."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from shapely.geometry import Point

from urbangeo.access import CommutingCircle, commuting_circle
from urbangeo.access.sure import Spread, bundled_profiles, how_sure, profile_range, simulate
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network import Network

NORMAL_95 = 1.6448536269514722
SIGMA = 0.2
FLAT = Spread({"national": SIGMA, "county": SIGMA, "access": SIGMA}, {})


def spots(**xy: tuple[float, float]) -> gpd.GeoDataFrame:
    points = [Point(*one) for one in xy.values()]
    return gpd.GeoDataFrame({"name": list(xy)}, geometry=points, crs=4326)


def one_road(pieces: int = 10, ref: str = "G1", minutes: float = 60.0) -> CommutingCircle:
    """A road of 50 minutes in pieces, its end asked about from its beginning."""
    names = [f"n{one}" for one in range(pieces + 1)]
    nodes = [node(name, 107 + place / 100, 27) for place, name in enumerate(names)]
    links = [link(a, b, 50 / pieces, ref=ref) for a, b in pairwise(names)]
    end = (107 + pieces / 100, 27.0)
    return commuting_circle((107.0, 27.0), minutes, network(nodes, links), places=spots(end=end))


def test_one_road_has_one_factor_whose_quantiles_are_known() -> None:
    # 50 exp(0.2 z): 5 % below 50 exp(-0.329); inside 60 with the probability of z < ln 1.2 / 0.2
    row = simulate(one_road(), 1500, spread=FLAT).iloc[0]
    assert row["minutes_p05"] == pytest.approx(50 * math.exp(-SIGMA * NORMAL_95), rel=0.03)
    assert row["minutes_p50"] == pytest.approx(50, rel=0.03)
    assert row["minutes_p95"] == pytest.approx(50 * math.exp(SIGMA * NORMAL_95), rel=0.03)
    expected = 0.5 * (1 + math.erf(math.log(1.2) / SIGMA / math.sqrt(2)))
    assert row["share_inside"] == pytest.approx(expected, abs=0.03)


def test_errors_of_links_drawn_alone_cancel_along_the_way() -> None:
    whole = simulate(one_road(), 800, spread=FLAT).iloc[0]
    apart = simulate(one_road(), 800, spread=FLAT, correlation=0.0).iloc[0]
    wide, narrow = (one["minutes_p95"] - one["minutes_p05"] for one in (whole, apart))
    # the mean of ten independent factors has a tenth of the variance
    assert narrow / wide == pytest.approx(1 / math.sqrt(10), rel=0.15)
    nameless = simulate(one_road(ref=""), 800, spread=FLAT).iloc[0]
    assert nameless["minutes_p95"] - nameless["minutes_p05"] == pytest.approx(narrow, rel=0.15)


def test_half_correlated_links_lie_between() -> None:
    # variance of the mean of n with correlation r: r + (1 - r) / n
    half = simulate(one_road(), 1000, spread=FLAT, correlation=0.5).iloc[0]
    sigma = SIGMA * math.sqrt(0.5 + 0.5 / 10)
    span = math.log(half["minutes_p95"] / half["minutes_p05"]) / (2 * NORMAL_95)
    assert span == pytest.approx(sigma, rel=0.1)


def test_the_faster_of_two_roads_is_taken_in_each_run() -> None:
    # two parallel links of 50 minutes: the least of two independent draws, median exp(-0.545 s)
    nodes = [node("A", 107.0, 27.0), node("B", 107.5, 27.0)]
    links = [link("A", "B", 50, ref="G1"), {**link("A", "B", 50, ref="G2"), "id": "second"}]
    net = network(nodes, links)
    circle = commuting_circle((107.0, 27.0), 60, net, places=spots(B=(107.5, 27.0)))
    row = simulate(circle, 1000, spread=FLAT).iloc[0]
    least_of_two = -0.5449521356173604  # Φ(z)² = ½ for the greater of two, turned round
    assert row["minutes_p50"] == pytest.approx(50 * math.exp(SIGMA * least_of_two), rel=0.03)


def test_trains_keep_their_time_and_legs_do_not() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 107.9, 27, "station")]
    net = network(nodes, [link("S", "T", 500)], service("G", ["S", "T"], [30]))
    off = (107.9, 27.009)  # a kilometre off: five minutes
    circle = commuting_circle((107.0, 27.0), 62, net, places=spots(T=(107.9, 27.0), off=off))
    table = simulate(circle, 400, spread=FLAT)
    # entering 10, waiting 10, riding 30, leaving 5
    assert table[["minutes_p05", "minutes_p50", "minutes_p95"]].iloc[0].tolist() == [55, 55, 55]
    assert table["share_inside"].iloc[0] == 1
    leg = circle.towns["minutes"].iloc[1] - 55
    assert table["minutes_p95"].iloc[1] - 55 == pytest.approx(
        leg * math.exp(SIGMA * NORMAL_95), rel=0.1
    )


def test_no_spread_gives_the_nominal_times() -> None:
    grid = spots(a=(107.013, 27.004), b=(107.04, 27.04), c=(107.002, 27.0021))
    circle = commuting_circle((107.0, 27.001), 6, square_grid(5), places=grid)
    table = simulate(circle, 3, spread=Spread({}, {}))
    for column in ("minutes_p05", "minutes_p50", "minutes_p95"):
        assert table[column].tolist() == pytest.approx(circle.towns["minutes"].tolist(), abs=1e-4)
    assert table["share_inside"].tolist() == (circle.towns["status"] == "inside").tolist()


def test_all_slower_by_the_same_is_a_scaled_network() -> None:
    # one road name for all links and no legs: each run is scaled(1 / factor)
    net = square_grid(4)
    tables = net.links.assign(ref="G1")
    same = Network.from_tables(net.nodes, tables, profile=PROFILE)
    grid = spots(a=(107.03, 27.0), b=(107.03, 27.03))
    circle = commuting_circle((107.0, 27.0), 6, same, places=grid)
    row = simulate(circle, 1, spread=Spread({"national": 0.3}, {}), seed=5)
    factor = row["minutes_p50"].iloc[0] / 3
    slowed = commuting_circle((107.0, 27.0), 6, same.scaled(1 / factor), places=grid)
    assert row["minutes_p50"].tolist() == pytest.approx(slowed.towns["minutes"].tolist(), abs=1e-3)


def test_the_same_seed_gives_the_same_numbers() -> None:
    circle = one_road()
    first, again = (simulate(circle, 50, spread=FLAT, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = simulate(circle, 50, spread=FLAT, seed=4)
    assert not np.allclose(first["minutes_p50"], other["minutes_p50"])


def test_what_is_asked_besides_does_not_change_a_places_numbers() -> None:
    net = square_grid(5)
    both = spots(a=(107.03, 27.01), b=(107.01, 27.04))
    alone = simulate(commuting_circle((107.0, 27.0), 6, net, places=both.iloc[:1]), 20, spread=FLAT)
    together = simulate(commuting_circle((107.0, 27.0), 6, net, places=both), 20, spread=FLAT)
    # both lie on nodes, so that no leg is drawn for them
    assert alone.iloc[0].tolist() == together.iloc[0].tolist()


def test_a_place_without_a_way_has_no_minutes() -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    asked = spots(there=(108.0, 27.0), island=(109.0, 27.0), lost=(107.0, 27.4))
    circle = commuting_circle((107.0, 27.0), 60, net, places=asked)
    table = how_sure(circle, profiles=[PROFILE], runs=4, spread=FLAT)
    assert table["minutes_p50"].notna().tolist() == [True, False, False]
    assert table["share_inside"].iloc[1:].tolist() == [0, 0]
    assert table["minutes_paper"].notna().tolist() == [True, False, False]
    assert table["minutes_most"].isna().tolist() == [False, True, True]


# Profiles ----------------------------------------------------------------------------------------


def test_a_range_over_profiles_by_hand() -> None:
    slow = replace(PROFILE, name="half", road_kmh={"national": 30.0})
    fast = replace(PROFILE, name="double", road_kmh={"national": 120.0})
    table = profile_range(one_road(), [PROFILE, slow, fast])
    row = table.iloc[0]
    assert row[["minutes_paper", "minutes_half", "minutes_double"]].tolist() == [50, 100, 25]
    assert (row["minutes_least"], row["minutes_most"]) == (25, 100)
    assert row["profiles_inside"] == pytest.approx(2 / 3)


def test_profiles_keep_the_networks_other_settings() -> None:
    circle = one_road()
    halved = commuting_circle((107.0, 27.0), 60, circle.net.scaled(0.5), places=spots(
        end=(107.1, 27.0)))  # fmt: skip
    assert profile_range(halved, [PROFILE])["minutes_paper"].tolist() == [100]


def test_all_bundled_profiles_if_none_is_named() -> None:
    names = bundled_profiles()
    assert {"nominal", "peak", "slow"} <= set(names)
    table = profile_range(one_road())
    assert table.attrs["profiles"] == names
    with pytest.raises(UnknownNameError, match="speed profile"):
        profile_range(one_road(), ["nowhere"])
    with pytest.raises(InputError, match="No profile given"):
        profile_range(one_road(), [])
    with pytest.raises(InputError, match="Two of the profiles"):
        profile_range(one_road(), [PROFILE, PROFILE])


def test_all_of_it_in_one_table() -> None:
    circle = one_road()
    table = circle.how_sure(profiles=[PROFILE], runs=5, spread=FLAT, seed=1)
    assert table.index.equals(circle.towns.index)
    assert table["breakeven"].tolist() == [1.2]
    assert {"minutes_paper", "share_inside", "margin_min"} <= set(table.columns)
    assert table.attrs["runs"] == 5
    assert table.attrs["network"]["digest"] == circle.network["digest"]
    assert "share_inside" not in circle.how_sure().columns


# What cannot be used -----------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [0, -1, 1.5, True, 10**6])
def test_runs_out_of_range(runs: float) -> None:
    with pytest.raises(InputError, match="runs is"):
        simulate(one_road(), runs)  # type: ignore[arg-type]


def test_other_options_out_of_range() -> None:
    with pytest.raises(InputError, match="correlation is 2"):
        simulate(one_road(), 5, correlation=2)
    with pytest.raises(InputError, match="seed is -1"):
        simulate(one_road(), 5, seed=-1)


def test_the_bundled_spread_is_whole_and_sourced() -> None:
    spread = Spread.read()
    assert set(spread.sigma) == {
        *("expressway", "national", "provincial", "county", "urban", "connector", "access")
    }
    # design speeds of expressways, 80 to 120: ln 1.5 over 2 x 1.645
    assert spread.sigma["expressway"] == pytest.approx(math.log(1.5) / (2 * NORMAL_95))
    assert all(spread.source.values())


def test_every_finding_about_a_spread_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spread.toml"
    path.write_text(
        '[motorway]\nlow_kmh = 1\nhigh_kmh = 2\nsource = "x"\n'
        "[national]\nlow_kmh = 60\nhigh_kmh = 40\n"
        "[county]\nlow_kmh = 20\nhigh_kmh = 40\n",
        encoding="utf-8",
    )
    with pytest.raises(TableError) as caught:
        simulate(one_road(), 5, spread=path)
    first, second, third = caught.value.findings
    assert first.startswith("motorway: unknown class")
    assert second.startswith("national: low_kmh is 60 and high_kmh 40")
    assert third.startswith("county: source is missing")
    path.write_text("", encoding="utf-8")
    with pytest.raises(TableError, match="there is no class"):
        Spread.read(path)
    path.write_text("=", encoding="utf-8")
    with pytest.raises(TableError, match="not TOML"):
        Spread.read(path)
    with pytest.raises(TableError, match="no such file"):
        Spread.read(tmp_path / "nothing.toml")
