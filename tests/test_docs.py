"""What the pages in docs/ show runs."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields
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


FIGURE_PAGE = "writing-a-figure.md"


def manifests() -> list[str]:
    """Give the TOML of the page on figures, block by block."""
    text = (ROOT / "docs" / FIGURE_PAGE).read_text(encoding="utf-8")
    return re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)


def test_the_first_figure_of_the_page_on_figures_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my-figures.toml").write_text(manifests()[0], encoding="utf-8")
    assert run(FIGURE_PAGE) == 1
    names = {one.name for one in Path("out").iterdir()}
    assert {"my-airports.pdf", "my-airports-A3.svg", "contact-sheet.png", "atlas-A4.pdf"} <= names


def test_every_manifest_of_the_page_on_figures_is_without_error(tmp_path: Path) -> None:
    from urbangeo.maps.manifest import read_manifest

    for number, text in enumerate(manifests()):
        head = "" if "[[figure]]" in text else '[[figure]]\nkey = "part"\n'
        path = tmp_path / f"{number}.toml"
        path.write_text(head + text, encoding="utf-8")
        assert dict(read_manifest(path).errors) == {}


def test_the_page_on_figures_tells_every_field_source_style_and_option() -> None:
    from urbangeo.maps.atlas import _DRAWN, _OPTIONS, _PRINTED
    from urbangeo.maps.reader import BASE_ENTRIES, COUNTS, COUNTY_NAMES, SHAPES, VIEWS, WEIGHTS
    from urbangeo.maps.records import (
        ClassRecord,
        FigureRecord,
        LayerRecord,
        ListRecord,
        MapRecord,
        Names,
    )
    from urbangeo.maps.sources import KINDS
    from urbangeo.maps.style import COLOURS
    from urbangeo.maps.symbols import _FIELDS, HUES, STYLES
    from urbangeo.maps.symbols import SHAPES as SIGNS

    page = (ROOT / "docs" / FIGURE_PAGE).read_text(encoding="utf-8")
    records = (FigureRecord, MapRecord, ListRecord, LayerRecord, ClassRecord, Names)
    told = {one.name for record in records for one in fields(record)}
    told -= {"file", "layers", "maps", "listing"}  # not fields of a file, or by another name
    told |= {"order", *_OPTIONS, *_DRAWN, *_PRINTED, *HUES, *COLOURS, *STYLES, *SIGNS}
    told |= {*SHAPES, *VIEWS, *COUNTY_NAMES, *WEIGHTS, *_FIELDS, "along"} - {""}
    told |= {name for names in _FIELDS.values() for name in names}
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`[^`\n]+`", page))))
    assert told - words == set()
    assert [one for one in KINDS if f"`{one}" not in page] == []
    assert [one for one in BASE_ENTRIES if one not in page] == []
    assert [one for one in COUNTS if f'"{one}"' not in page and one] == []


def test_the_number_of_figures_is_told_as_it_is() -> None:
    from urbangeo.maps.manifest import read_manifest

    count = len(read_manifest().figures)
    for page in ("README.md", "CHANGELOG.md"):
        told = re.findall(r"(\d+) figures", (ROOT / page).read_text(encoding="utf-8"))
        assert told, page
        assert set(told) == {str(count)}, page


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
