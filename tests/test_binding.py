"""What binds figures: a contact sheet, and PDFs with an outline."""

from __future__ import annotations

import io
from pathlib import Path
from types import MappingProxyType

import pytest
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader

from urbangeo.maps.binding import bind_atlas, bound_pdf, contact_sheet, figure_title
from urbangeo.maps.manifest import Manifest
from urbangeo.maps.press import Done, Task
from urbangeo.maps.records import FigureRecord


def pdf(words: str) -> bytes:
    stream = io.BytesIO()
    figure = Figure(figsize=(1, 1))
    figure.text(0.1, 0.5, words)
    figure.savefig(stream, format="pdf", metadata={"CreationDate": None})
    return stream.getvalue()


def picture(colour: str, size: tuple[int, int] = (840, 594)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


RECORDS = {
    "one/a": FigureRecord(key="one/a", heading="甲规划", number="图 1", number_en="Map 1"),
    "one/b": FigureRecord(key="one/b", heading="甲规划"),
    "two": FigureRecord(key="two", plan="qianzhong-2023", title="某图"),
    "none": FigureRecord(key="none"),
}
MANIFEST = Manifest(MappingProxyType(RECORDS), MappingProxyType({}))


def done(key: str, page: str = "A4", title: str = "", reason: str = "") -> Done:
    made = Done(Task(key, page, f"{key}-{page}"), title=title, reason=reason)
    if not reason:
        made.thumb, made.pdf = picture("red"), pdf(f"{key} {page}")
    return made


def outline(path: Path) -> list[tuple[str, list[str]]]:
    """Groups and what stands under each."""
    found: list[tuple[str, list[str]]] = []
    for item in PdfReader(path).outline:
        if isinstance(item, list):
            found[-1][1].extend(str(one.title) for one in item)  # type: ignore[union-attr]
        else:
            found.append((str(item.title), []))
    return found


def test_a_figure_is_called_by_its_number_and_what_stands_on_its_sheet() -> None:
    assert figure_title(RECORDS["one/a"], "zh", "某示意图") == "图 1 某示意图"
    assert figure_title(RECORDS["one/a"], "en", "Some") == "Map 1 Some"
    assert figure_title(RECORDS["one/b"], "en", "Some") == "Some"
    assert figure_title(RECORDS["none"], "zh") == "none"


def test_each_paper_is_bound_with_what_was_drawn_on_it(tmp_path: Path) -> None:
    rows = [
        done("one/a", "A4", "甲"),
        done("one/a", "A3", "甲"),
        done("one/b", "A4", reason="no room"),
        done("two", "A4", "乙"),
        done("none", "A4", "丙"),
    ]
    paths = bind_atlas(rows, tmp_path, MANIFEST, "zh")
    assert [one.name for one in paths] == ["contact-sheet.png", "atlas-A4.pdf", "atlas-A3.pdf"]
    assert outline(tmp_path / "atlas-A4.pdf") == [
        ("甲规划", ["图 1 甲"]),
        ("黔中城市群高质量发展规划", ["乙"]),
        ("其他", ["丙"]),
    ]
    assert outline(tmp_path / "atlas-A3.pdf") == [("甲规划", ["图 1 甲"])]
    words = [page.extract_text() for page in PdfReader(tmp_path / "atlas-A4.pdf").pages]
    assert words == ["one/a A4", "two A4", "none A4"]
    with Image.open(tmp_path / "contact-sheet.png") as sheet:
        # Three figures, each once.
        assert sheet.size == (3 * 444 + 24, 355 + 24)


@pytest.mark.parametrize(("count", "columns", "lines"), [(1, 1, 1), (4, 4, 1), (5, 4, 2)])
def test_small_pictures_stand_in_rows_of_four(count: int, columns: int, lines: int) -> None:
    sheet = contact_sheet([("某图", picture("#FF0000"))] * count)
    with Image.open(io.BytesIO(sheet)) as made:
        assert made.size == (columns * 444 + 24, lines * 355 + 24)
        assert made.getpixel((24 + 210, 24 + 148)) == (255, 0, 0)
        assert made.getpixel((5, 5)) == (255, 255, 255)


def test_a_title_that_is_too_long_is_cut() -> None:
    """What stands beyond the cut changes nothing."""
    one, other = (contact_sheet([("很长的题目" * 9 + end, picture("red"))]) for end in "甲乙")
    assert one == other
    assert contact_sheet([("甲", picture("red"))]) != contact_sheet([("乙", picture("red"))])


def test_groups_that_follow_each_other_are_one() -> None:
    entries = [("甲", "一", pdf("1")), ("甲", "二", pdf("2")), ("乙", "三", pdf("3"))]
    entries += [("甲", "四", pdf("4"))]
    bound = io.BytesIO(bound_pdf(entries))
    titles = [
        [str(one.title) for one in item] if isinstance(item, list) else str(item.title)  # type: ignore[union-attr]
        for item in PdfReader(bound).outline
    ]
    assert titles == ["甲", ["一", "二"], "乙", ["三"], "甲", ["四"]]


def test_the_same_bytes() -> None:
    entries = [("甲", "一", pdf("1")), ("乙", "二", pdf("2"))]
    assert bound_pdf(entries) == bound_pdf(entries)
    info = PdfReader(io.BytesIO(bound_pdf(entries))).metadata
    assert info is not None
    assert info.title == "图册"
    assert info.creation_date is None
