"""The graph of the world: parsed from text, cached, clipped; and what the package really holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from urbangeo.crs import GEOD
from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network import world
from urbangeo.network.world import cache_folder, read_world

ROADS = (
    "\nfrom scgraph.core import GeoGraph\n"
    "graph=[{1: 1.5, 0: 0.0, 2: 2.25}, {0: 1.5}, {0: 2.25, 3: 0.0}, {2: 0.0}, {}, "
    "{6: 9.0}, {5: 9.0}]\n"
    "nodes=[[26.5, 106.7], [26.51, 106.71], [26.52, 106.7], [26.521, 106.7], [26.5, 106.5], "
    "[30.0, 110.0], [30.05, 110.0]]\n"
    "world_highways_geograph = GeoGraph(graph=graph, nodes=nodes)\n"
)
RAILWAYS = (
    "\nfrom scgraph.core import GeoGraph\n"
    "graph=[{1: 40.0}, {0: 40.0}]\n"
    "nodes=[[26.5, 106.7], [26.8, 107.0]]\n"
    "world_railways_geograph = GeoGraph(graph=graph, nodes=nodes)\n"
)
BOX = (106.6, 26.4, 106.8, 26.6)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("URBANGEO_CACHE", str(folder))
    return folder


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """A package of seven road nodes and two of railways."""
    for name, text in (("world_highways", ROADS), ("world_railways", RAILWAYS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(world, "_module_file", lambda name: tmp_path / f"{name}.py")
    monkeypatch.setattr(world, "_version", lambda: "2.0.0")
    return tmp_path


def test_edges_with_an_end_within_are_taken(small: Path) -> None:
    made = read_world(BOX)
    assert list(made.links["id"]) == ["road-0-1", "road-0-2", "road-2-3", "rail-0-1"]
    # 1.5, 2.25, 0 (a metre at least) and 40 km, as the package states them
    assert made.links["length_m"].tolist() == [1500.0, 2250.0, 1.0, 40000.0]
    assert made.links["mode"].tolist() == ["road"] * 3 + ["rail"]
    assert made.links["class"].tolist() == ["national"] * 3 + ["conventional"]
    assert not made.links["oneway"].any()
    assert made.links["speed_kmh"].isna().all()
    assert list(made.nodes["id"]) == ["road-0", "road-1", "road-2", "road-3", "rail-0", "rail-1"]
    assert made.tail.tolist() == [0, 0, 2, 4]
    assert made.head.tolist() == [1, 2, 3, 5]
    # the package gives latitude first
    assert made.nodes[["lon", "lat"]].to_numpy()[5].tolist() == [107.0, 26.8]
    assert made.offsets.tolist() == [0, 2, 4, 6, 8]
    assert made.xy[6:].tolist() == [[106.7, 26.5], [107.0, 26.8]]
    assert made.nodes["component"].tolist() == [0, 0, 0, 0, -1, -1]
    assert made.schematic
    assert "OpenStreetMap" in made.attribution[0]
    report = made.report
    assert report.read == {"road_edges": 4, "rail_edges": 1}
    assert report.kept == {"road_links": 3, "rail_links": 1, "nodes": 6}
    assert report.dropped == {"outside_bounds": 1, "self_loops": 1}
    assert report.noted == {"across_bounds": 1}  # the railway leaves the box
    assert report.components == (4,)


def test_railways_alone(small: Path) -> None:
    made = read_world(BOX, modes="rail")
    assert list(made.links["id"]) == ["rail-0-1"]
    assert made.nodes["component"].tolist() == [0, 0]
    assert made.report.components == (2,)


def test_the_cache_is_used_and_made_again_when_damaged(small: Path, cache: Path) -> None:
    first = read_world(BOX)
    file = cache / "scgraph_data-2.0.0" / "world_highways.npz"
    assert file.is_file()
    assert {path.name for path in file.parent.iterdir()} == {
        "world_highways.npz",
        "world_railways.npz",
    }
    (small / "world_highways.py").write_text("gone", encoding="utf-8")
    assert read_world(BOX).links.equals(first.links)
    (small / "world_highways.py").write_text(ROADS, encoding="utf-8")
    for damaged in (file.read_bytes()[:100], b"", b"PK\x03\x04 nothing", file.read_bytes()[:-30]):
        file.write_bytes(damaged)
        assert read_world(BOX).links.equals(first.links)


def test_a_cache_that_cannot_be_written_is_told(small: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert read_world(BOX, modes=["road"]).report.noted["cache_not_written"] == 1


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("URBANGEO_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("URBANGEO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "urbangeo"
    # the specification: a relative path is to be ignored
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / ".cache" / "urbangeo"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "urbangeo"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "urbangeo" / "Cache"


@pytest.mark.parametrize(
    "bounds",
    [(1, 2, 3), "GZ", (106, 26, 105, 27), (106, 26, 107, 26), (26, 106, 27, 107), (0, 0, "x", 1)],
)
def test_bounds_that_are_none(small: Path, bounds: Any) -> None:
    with pytest.raises(InputError, match="degrees"):
        read_world(bounds)


def test_nothing_there(small: Path) -> None:
    with pytest.raises(NetworkError, match="has no road or rail within west 0, south 0, east 1"):
        read_world((0, 0, 1, 1))
    with pytest.raises(UnknownNameError, match="Unknown mode 'sea'"):
        read_world(BOX, modes=("sea",))
    with pytest.raises(InputError, match="No mode given"):
        read_world(BOX, modes=())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("graph=[", "arcs=[", "subsection not found"),
        ("[30.05, 110.0]]", "[30.05, 110.0], [1, 1]]", "7 rows for 8 nodes"),
        ("{6: 9.0}", "{6: 8.0}", "not the same from both its ends"),
        ("{6: 9.0}", "{}", "not the same from both its ends"),
        ("{6: 9.0}, {5: 9.0}", "{7: 9.0}, {5: 9.0}", "an edge leads nowhere"),
        ("{6: 9.0}", "{6: -9.0}", "negative length"),
        ("{6: 9.0}", "{6: nan}", "a number is not finite"),
        ("{6: 9.0}", "{6: f()}", "could not convert"),
        ("26.51, ", "126.51, ", "a node is not on the Earth"),
    ],
)
def test_a_package_that_is_laid_out_otherwise(small: Path, old: str, new: str, said: str) -> None:
    text = ROADS.replace(old, new)
    assert text != ROADS
    (small / "world_highways.py").write_text(text, encoding="utf-8")
    with pytest.raises(NetworkError, match=f"laid out otherwise than expected: .*{said}"):
        read_world(BOX)


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scgraph_data", None)
    with pytest.raises(NetworkError, match=r"not installed. Run: pip install 'urbangeo\[world\]'"):
        read_world(BOX)


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("scgraph_data")
    return tmp_path_factory.mktemp("world")


def test_guizhou(real_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URBANGEO_CACHE", str(real_cache))
    made = read_world((103.6, 24.6, 109.6, 29.2))
    # nearly all of it hangs together, as the package's description lets expect of a country
    assert made.report.share_in_largest > 0.98
    assert {"road", "rail"} == set(made.links["mode"])
    # no stated length is shorter than the straight line by more than a sphere is: 0.5 %
    ends = made.xy.reshape(-1, 4)
    _, _, chord = GEOD.inv(*ends.T)
    assert (made.links["length_m"] / np.asarray(chord) > 0.99)[chord > 1000].all()
    # Guiyang lies on it: within 2 km of its centre there is a node
    _, _, off = GEOD.inv(
        np.full(len(made.nodes), 106.63),
        np.full(len(made.nodes), 26.65),
        made.nodes["lon"].to_numpy(),
        made.nodes["lat"].to_numpy(),
    )
    assert np.min(off) < 2000


def test_another_country(real_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URBANGEO_CACHE", str(real_cache))
    made = read_world((6.0, 45.8, 10.5, 47.8), modes=("road",))
    # Switzerland's national roads alone are 2,250 km long, its main roads as much again
    assert made.links["length_m"].sum() > 4_500_000
