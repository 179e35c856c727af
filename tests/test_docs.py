"""What the pages in docs/ show runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from osmfiles import grid, write_osm

from urbangeo.catalog import data_folder

ROOT = Path(__file__).parents[1]


def run(page: str) -> int:
    """Run the code of a page from top to bottom; how many blocks there were."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, object] = {}
    for code in blocks:
        exec(compile(code, page, "exec"), names)  # noqa: S102 our own page
    return len(blocks)


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
    run("networks.md")
    assert (tmp_path / "mine.parquet").is_file()


def test_the_formulas_of_the_page_on_methods_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its code works examples by hand and asserts that the library agrees.
    monkeypatch.chdir(tmp_path)
    assert run("methods.md") >= 6
    assert (tmp_path / "times" / "manifest.json").is_file()


def test_every_source_that_the_page_on_methods_names_is_listed_and_named() -> None:
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    body, references = text.split("## References\n")
    prose = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    listed = re.findall(r"^- ([^\W\d_]+).*?\((\d{4})\)\.", references, flags=re.MULTILINE)
    assert len(listed) == references.count("\n- ")
    assert {author for author, _ in listed if author not in prose} == set()
    assert set(re.findall(r"\b(?:19|20)\d\d\b", prose)) == {year for _, year in listed}


def test_the_page_on_methods_tells_every_measure_and_engine() -> None:
    from urbangeo.access.decay import DECAYS
    from urbangeo.access.engine import ENGINES
    from urbangeo.access.measures import MEASURES

    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8").lower()
    for name in (*ENGINES, *MEASURES, *DECAYS):
        assert name in text, name


@pytest.mark.parametrize("page", sorted(one.name for one in (ROOT / "docs").glob("*.md")))
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / target).resolve().exists(), target
