"""Many figures at once: each answer in its place, and a process that dies costs one figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from urbangeo.errors import InputError, OutputError
from urbangeo.maps import compose, prepare, press
from urbangeo.maps.compose import LaidOut
from urbangeo.maps.press import Done, Task, run

# Answers as a process of ours does, without drawing; what it is to do stands in the keys.
STAND_IN = """
import json, os, signal, sys
order = json.loads(sys.argv[1])
for line in sys.stdin:
    group = json.loads(line)
    key = group[0]["key"]
    if key == "ends":
        os._exit(7)
    if key == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if key == "stops half-way":
        sys.stdout.write('[{"reason"')
        sys.stdout.flush()
        os._exit(0)
    if key == "fails":
        answers = [{"reason": "no room", "output_error": False} for one in group]
    else:
        answers = [{"files": [one["stem"]], "title": str(os.getpid())} for one in group]
    print(json.dumps(answers), flush=True)
"""


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    """Stands in for the processes; keeps those that were begun."""
    started = []

    def start(order: Any) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-c", STAND_IN, json.dumps({"folder": order.folder})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(worker)
        return worker

    monkeypatch.setattr(press, "_start", start)
    return started


def tasks(*keys: str) -> list[Task]:
    return [Task(key, page, f"{key}-{page}") for key in keys for page in ("A4", "A3")]


def ran(folder: Path, asked: list[Task], jobs: int = 2, **options: Any) -> list[Done]:
    known: dict[str, Any] = {"formats": ("svg",), "dpi": 72, "options": {}}
    known |= {"progress": False, "keep": False, "records": {one.key: one.key for one in asked}}
    return run(asked, folder, jobs=jobs, **{**known, **options})


def test_answers_come_in_the_order_of_the_tasks(tmp_path: Path, begun: list[Any]) -> None:
    asked = tasks(*"abcdefg")
    done = ran(tmp_path, asked)
    assert [one.task for one in done] == asked
    assert [one.files for one in done] == [[Path(one.stem)] for one in asked]
    assert len(begun) == 2
    assert all(worker.returncode == 0 for worker in begun)


def test_no_more_processes_than_figures(tmp_path: Path, begun: list[Any]) -> None:
    ran(tmp_path, tasks("a", "b"), jobs=8)
    assert len(begun) == 2


def test_a_figure_is_drawn_on_all_its_papers_by_one_process(
    tmp_path: Path, begun: list[Any]
) -> None:
    done = ran(tmp_path, tasks(*"abcd"))
    assert all(done[i].title == done[i + 1].title for i in range(0, len(done), 2))


def test_figures_of_one_lane_are_drawn_by_one_process(tmp_path: Path, begun: list[Any]) -> None:
    asked = [Task(key, "A4", key, lane="" if key in "ab" else "circles") for key in "abcdef"]
    done = {one.task.key: one.title for one in ran(tmp_path, asked)}
    assert len({done[key] for key in "cdef"}) == 1


@pytest.mark.parametrize(
    ("key", "status"), [("ends", "7"), ("is killed", "-9"), ("stops half-way", "0")]
)
def test_a_process_that_dies_costs_one_figure(
    tmp_path: Path, begun: list[Any], key: str, status: str
) -> None:
    done = {one.task: one for one in ran(tmp_path, tasks("a", key, "b", "c", "d"))}
    lost = [one for one in done.values() if not one.ok]
    assert {one.task.key for one in lost} == {key}
    # Both papers, as they were asked for together.
    assert len(lost) == 2
    words = f"the process that drew it ended with status {status}; was there memory enough?"
    assert {one.reason for one in lost} == {words}
    assert not any(one.output_error for one in lost)
    assert len(begun) in {2, 3}


def test_all_processes_may_die(tmp_path: Path, begun: list[Any]) -> None:
    done = ran(tmp_path, tasks("ends", "is killed"))
    assert [one.ok for one in done] == [False] * 4


def test_a_figure_that_fails_leaves_its_process_alive(tmp_path: Path, begun: list[Any]) -> None:
    done = ran(tmp_path, tasks("a", "fails", "b", "c"))
    assert [one.reason for one in done if not one.ok] == ["no room"] * 2
    assert len(begun) == 2


def test_a_process_that_cannot_be_started_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(order: Any) -> Any:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(press, "_start", start)
    done = ran(tmp_path, tasks("a", "b", "c"))
    assert len(done) == 6
    assert all("Cannot allocate memory" in one.reason for one in done)


# In this process ----------------------------------------------------------------------------------


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Stands in for preparing and laying out; keeps what was done, in order."""
    seen = []

    def ready(key: str, inputs: Any) -> str:
        seen.append(("prepare", key))
        if key == "broken":
            raise ZeroDivisionError("division by zero")
        return key

    def sheet(key: str, *, page: str, **options: Any) -> LaidOut:
        seen.append((key, page))
        if (key, page) == ("tight", "A4"):
            raise InputError("There is no room.")
        if key == "unwritable":
            raise OutputError("Cannot write.")
        figure = Figure(figsize=(1.485, 1.05))
        figure.text(0.1, 0.5, f"{key} {page}", gid="title")
        return LaidOut(figure, (), None, "", f"{key} {page}", "", ())

    monkeypatch.setattr(prepare, "prepare", ready)
    monkeypatch.setattr(compose, "laid_out", sheet)
    return seen


def test_a_figure_is_prepared_once_for_its_papers(tmp_path: Path, drawing: list[Any]) -> None:
    done = ran(tmp_path, tasks("a", "b"), jobs=1)
    assert drawing == [
        *(("prepare", "a"), ("a", "A4"), ("a", "A3")),
        *(("prepare", "b"), ("b", "A4"), ("b", "A3")),
    ]
    assert [one.title for one in done] == ["a A4", "a A3", "b A4", "b A3"]
    assert all(one.files == [tmp_path / f"{one.task.stem}.svg"] for one in done)
    assert all(one.files[0].is_file() for one in done)


def test_a_paper_that_fails_costs_no_other(tmp_path: Path, drawing: list[Any]) -> None:
    done = ran(tmp_path, tasks("tight", "a"), jobs=1)
    assert [one.reason for one in done] == ["There is no room.", "", "", ""]


def test_a_fault_of_the_program_is_named_by_its_kind(tmp_path: Path, drawing: list[Any]) -> None:
    done = ran(tmp_path, tasks("broken", "a"), jobs=1)
    assert [one.reason for one in done][:2] == ["ZeroDivisionError: division by zero"] * 2
    assert [one.ok for one in done] == [False, False, True, True]


def test_what_could_not_be_written_is_told_apart(tmp_path: Path, drawing: list[Any]) -> None:
    done = ran(tmp_path, tasks("unwritable", "tight"), jobs=1)
    assert [one.output_error for one in done] == [True, True, False, False]


def test_what_is_bound_is_kept(tmp_path: Path, drawing: list[Any]) -> None:
    """A small picture and a PDF, whether or not a PDF is asked for."""
    for formats in (("svg",), ("pdf",), ("png", "pdf")):
        done = ran(tmp_path, tasks("a"), jobs=1, keep=True, formats=formats)
        assert all(one.pdf.startswith(b"%PDF") for one in done)
        assert all(one.thumb.startswith(b"\x89PNG") for one in done)
    (one, _) = ran(tmp_path, tasks("a"), jobs=1)
    assert (one.pdf, one.thumb) == (b"", b"")


def test_a_paper_that_fails_costs_its_own_picture(tmp_path: Path, drawing: list[Any]) -> None:
    """The contact sheet shows the first paper that was drawn."""
    done = ran(tmp_path, tasks("tight", "a"), jobs=1, keep=True)
    assert [bool(one.thumb) for one in done] == [False, True, True, True]
    assert [bool(one.pdf) for one in done] == [False, True, True, True]


def test_a_full_temporary_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawing: list[Any]
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"temporary folder .*No space left.*TMPDIR"):
        ran(tmp_path, tasks("a"), jobs=1)
