"""What docs/networks.md shows runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from osmfiles import grid, write_osm

from urbangeo.catalog import data_folder

ROOT = Path(__file__).parents[1]


def test_the_code_of_the_page_on_networks_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("osmium")
    monkeypatch.chdir(tmp_path)
    nodes = grid(9, 9, step=0.05)
    ways = [
        (row + 1, [9 * row + c + 1 for c in range(9)], {"highway": "primary"}) for row in range(9)
    ]
    ways += [
        (c + 11, [9 * row + c + 1 for row in range(9)], {"highway": "primary"}) for c in range(9)
    ]
    write_osm(tmp_path / "roads.osm.pbf", nodes, ways)
    shutil.copytree(data_folder() / "network", tmp_path / "my-region")
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(code, "networks.md", "exec"), names)  # noqa: S102 our own page
    assert (tmp_path / "mine.parquet").is_file()


@pytest.mark.parametrize("page", sorted(one.name for one in (ROOT / "docs").glob("*.md")))
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / target).resolve().exists(), target
