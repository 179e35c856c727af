"""Speed profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbangeo.catalog import data_folder
from urbangeo.errors import NetworkError, UnknownNameError
from urbangeo.network.profiles import LINK_CLASSES, RAIL_CLASSES, ROAD_CLASSES, Profile

SMALL = """
default = "calm"
[sinuosity]
national = 1.2
[calm]
title = "静"
[calm.road_kmh]
national = 50
[calm.access]
kmh = 10
circuity = 1.5
max_km = 4
[calm.rail.hsr]
entry_min = 10
exit_min = 5
transfer_min = 4
wait_share = 0.5
wait_cap_min = 15
[storm]
base = "calm"
[storm.road_kmh]
national = 25
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_profile_takes_over_what_it_does_not_state(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    calm, storm = Profile.read(path), Profile.read(path, "storm")
    assert (calm.name, calm.road_kmh["national"], storm.road_kmh["national"]) == ("calm", 50, 25)
    assert storm.access == calm.access
    assert storm.rail["hsr"].exit_min == 5


def test_access_leg_by_hand(tmp_path: Path) -> None:
    # 2 km as the crow flies are 3 km of road; at 10 km/h that is 18 minutes
    assert Profile.read(write(tmp_path, SMALL)).access.ms_per_m * 2000 == 18 * 60_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("national = 1.2", "national = 0.9", "cannot be shorter than its chord"),
        ("national = 50", "national = -50", "a positive number is expected"),
        ("national = 50", "motorway = 50", "unknown class"),
        ("max_km = 4", "", "lacks max_km"),
        ('title = "静"', "stated_share = 1.2", "stated_share is 1.2"),
        ("kmh = 10", 'kmh = "ten"', "'ten'"),
    ],
)
def test_bad_numbers_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        Profile.read(write(tmp_path, SMALL.replace(old, new, 1)))


def test_unknown_profile_suggests(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="storm"):
        Profile.read(write(tmp_path, SMALL), "strom")


def test_a_circle_of_bases_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace('title = "静"', 'base = "storm"')
    with pytest.raises(NetworkError, match="based on each other"):
        Profile.read(write(tmp_path, text))


@pytest.mark.parametrize("name", ["nominal", "peak", "slow"])
def test_bundled_profiles_know_every_class(name: str) -> None:
    profile = Profile.read(data_folder() / "network" / "profiles.toml", name)
    assert set(profile.road_kmh) == set(ROAD_CLASSES)
    assert set(profile.rail) == set(RAIL_CLASSES)
    assert set(profile.sinuosity) == set(LINK_CLASSES)


def test_bundled_bad_days_are_never_faster() -> None:
    path = data_folder() / "network" / "profiles.toml"
    nominal = Profile.read(path, "nominal")
    for name in ("peak", "slow"):
        other = Profile.read(path, name)
        assert all(other.road_kmh[one] <= nominal.road_kmh[one] for one in ROAD_CLASSES)
