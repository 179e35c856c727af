"""Draw many figures at once, each core its own process, and tell how each went.

The processes are started as ``python -m urbangeo.maps.press`` and not by :mod:`multiprocessing`,
which would run the caller's script a second time unless it is written for that. They take a task
a line from standard input and answer with a line, so that one that dies costs one figure.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from urbangeo.errors import OutputError, UrbangeoError

if TYPE_CHECKING:
    from urbangeo.maps.compose import LaidOut
    from urbangeo.maps.prepare import Prepared
    from urbangeo.maps.qgis.records import ExportMap
    from urbangeo.maps.records import FigureRecord

__all__ = ["Done", "Task", "run"]


@dataclass(frozen=True)
class Task:
    """A figure on a paper, and the stem of its files.

    Figures of one ``lane`` are drawn by one process, which keeps what they share.
    """

    key: str
    page: str
    stem: str
    lane: str = ""


@dataclass
class Done:
    """How a task went.

    Attributes
    ----------
    files
        Written, in the order of the formats.
    title
        As written on the sheet.
    thumb, pdf
        A small picture, and a PDF for binding; in memory.
    maps
        Its maps as tables, if they are wanted.
    reason
        Why it failed; empty if it did not.
    output_error
        The reason is that a file could not be written.
    """

    task: Task
    files: list[Path] = field(default_factory=list)
    title: str = ""
    thumb: bytes = b""
    pdf: bytes = b""
    maps: list[ExportMap] = field(default_factory=list)
    reason: str = ""
    output_error: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the figure was drawn and written."""
        return not self.reason


@dataclass(frozen=True)
class _Order:
    """What all tasks of a run share."""

    folder: str
    formats: tuple[str, ...]
    dpi: float
    options: dict[str, Any]
    kept: str
    bind: bool
    export: bool


def run(
    tasks: Sequence[Task],
    folder: Path,
    *,
    formats: tuple[str, ...],
    dpi: float,
    options: dict[str, Any],
    records: Mapping[str, FigureRecord],
    jobs: int | None,
    progress: bool,
    keep: bool,
    export: bool = False,
) -> list[Done]:
    """Draw all tasks; give how each went, in their order.

    Parameters
    ----------
    records
        Entries of the manifest by key.
    options
        As :func:`urbangeo.maps.compose.lay_out` takes them, but for the page.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.key, []).append(task)
    count = min(len(groups), jobs or os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as kept:
        # The processes need not read and check the manifest, and all plans with it, once more.
        _keep(Path(kept, "records"), dict(records))
        order = _Order(str(folder.absolute()), formats, dpi, options, kept, keep, export)
        with _bar(len(tasks), shown=progress) as advance:
            drawn = (
                [_one(group, order, advance) for group in groups.values()]
                if count <= 1
                else _shared(list(groups.values()), order, count, advance)
            )
        found = dict(zip(groups, drawn, strict=True))
        answers = {
            task: answer
            for key, group in groups.items()
            for task, answer in zip(group, found[key], strict=True)
        }
        return [_collected(task, answers[task], order) for task in tasks]


class _bar:  # noqa: N801 a context manager, used like a function
    """A progress bar on standard error, if one is wanted."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self.total, self.shown = total, shown

    def __enter__(self) -> Callable[[str, int], None]:
        if not self.shown:
            return lambda *_: None
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self.progress = Progress(
            TextColumn("画图"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self.progress.start()
        row = self.progress.add_task("", total=self.total)
        return lambda text, count: self.progress.update(row, advance=count, description=text)

    def __exit__(self, *exception: object) -> None:
        if self.shown:
            self.progress.stop()


def _one(
    group: Sequence[Task], order: _Order, advance: Callable[[str, int], None]
) -> list[dict[str, Any]]:
    answers = _draw(group, order)
    advance(group[0].key, len(group))
    return answers


def _shared(
    groups: Sequence[Sequence[Task]],
    order: _Order,
    count: int,
    advance: Callable[[str, int], None],
) -> list[list[dict[str, Any]]]:
    # A lane is one piece of work, and the largest are begun first.
    lanes: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        lanes.setdefault(group[0].lane or f"figure {row}", []).append(row)
    waiting: SimpleQueue[list[int]] = SimpleQueue()
    for rows in sorted(lanes.values(), key=len, reverse=True):
        waiting.put(rows)
    answers: list[list[dict[str, Any]]] = [[] for _ in groups]

    def feed() -> None:
        worker: subprocess.Popen[str] | None = None
        try:
            while True:
                try:
                    rows = waiting.get_nowait()
                except Empty:
                    return
                for row in rows:
                    try:
                        worker = worker or _start(order)
                        answers[row], alive = _ask(worker, groups[row])
                    except OSError as error:
                        answers[row], alive = [_failed(error) for _ in groups[row]], False
                    if not alive:
                        worker = None
                    advance(groups[row][0].key, len(groups[row]))
        finally:
            if worker is not None:
                assert worker.stdin is not None
                assert worker.stdout is not None
                worker.stdin.close()
                worker.wait()
                worker.stdout.close()

    threads = [Thread(target=feed) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _start(order: _Order) -> subprocess.Popen[str]:
    path = os.pathsep.join(one for one in sys.path if one)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return subprocess.Popen(  # noqa: S603 our own module, our own arguments
        [sys.executable, "-m", "urbangeo.maps.press", json.dumps(asdict(order))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **threads, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
    )


def _ask(worker: subprocess.Popen[str], group: Sequence[Task]) -> tuple[list[dict[str, Any]], bool]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(json.dumps([asdict(task) for task in group]) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except OSError:
        line = ""
    # A line without an end is all that it could say.
    if line.endswith("\n"):
        answers: list[dict[str, Any]] = json.loads(line)
        return answers, True
    status = worker.wait()
    worker.stdout.close()
    with suppress(OSError):
        worker.stdin.close()
    told = f"the process that drew it ended with status {status}; was there memory enough?"
    return [{"reason": told} for _ in group], False


def _collected(task: Task, answer: dict[str, Any], order: _Order) -> Done:
    done = Done(
        task,
        [Path(one) for one in answer.get("files", ())],
        title=answer.get("title", ""),
        reason=answer.get("reason", ""),
        output_error=bool(answer.get("output_error")),
    )
    if not done.ok:
        return done
    stem = f"{order.kept}/{task.stem}"
    if order.bind:
        done.thumb = Path(f"{stem}.png").read_bytes()
        written = [path for path in done.files if path.suffix == ".pdf"]
        done.pdf = (written or [Path(f"{stem}.pdf")])[0].read_bytes()
    tables = Path(f"{stem}.maps")
    if tables.is_file():
        # Written by a process of ours a moment ago, in a folder that only this user can reach.
        done.maps = pickle.loads(tables.read_bytes())  # noqa: S301
    return done


def _draw(group: Sequence[Task], order: _Order) -> list[dict[str, Any]]:
    """Prepare a figure once, then print it on each of its papers; give the process's answers."""
    from urbangeo.maps.prepare import prepare

    try:
        prepared = prepare(_records(order.kept)[group[0].key], {})
    except Exception as error:  # noqa: BLE001 one figure's fault must not cost the others
        return [_failed(error) for _ in group]
    answers: list[dict[str, Any]] = []
    for task in group:
        first = not any("files" in one for one in answers)
        answers.append(_printed(prepared, task, order, first=first))
    return answers


def _keep(path: Path, what: object) -> None:
    """Leave something for another process of this run.

    Raises
    ------
    OutputError
        If the temporary folder is full or cannot be written.
    """
    try:
        path.write_bytes(pickle.dumps(what, protocol=5))
    except OSError as error:
        raise OutputError(
            f"Cannot write to the temporary folder {path.parent}: {error.strerror or error}. Make "
            "room there, or name another in the environment variable TMPDIR."
        ) from error


@lru_cache(maxsize=1)
def _records(kept: str) -> dict[str, FigureRecord]:
    """Read the entries of the figures, as the first process wrote them a moment ago."""
    found: dict[str, FigureRecord] = pickle.loads(Path(kept, "records").read_bytes())  # noqa: S301
    return found


def _printed(prepared: Prepared, task: Task, order: _Order, *, first: bool) -> dict[str, Any]:
    """Lay a figure out and write it; of the first paper that is drawn keep the tables."""
    from urbangeo.maps import printing
    from urbangeo.maps.compose import laid_out

    try:
        sheet = laid_out(prepared, page=task.page, **order.options)
        figure = sheet.figure
        files = [Path(order.folder) / f"{task.stem}.{kind}" for kind in order.formats]
        kept = Path(order.kept) / task.stem
        bound = [f"{kept}.pdf"] if order.bind and "pdf" not in order.formats else []
        thumb = f"{kept}.png" if order.bind else None
        printing.save_all(figure, [*files, *bound], dpi=order.dpi, thumb=thumb)
        if order.export and first:
            _keep_maps(prepared, sheet, f"{kept}.maps")
    except Exception as error:  # noqa: BLE001 one paper's fault must not cost the others
        return _failed(error)
    return {"files": list(map(str, files)), "title": printing.title_of(figure)}


def _keep_maps(prepared: Prepared, sheet: LaidOut, path: str) -> None:
    """Keep a drawn figure's tables for the process that writes the GeoPackage."""
    from urbangeo.maps.qgis.exporting import export_figure

    maps = export_figure(
        prepared,
        sheet.maps,
        title=f"{sheet.number} {sheet.title}".strip(),
        heading=sheet.heading,
        inset=sheet.inset,
        note=sheet.note,
    )
    _keep(Path(path), maps)


def _failed(error: Exception) -> dict[str, Any]:
    if isinstance(error, UrbangeoError):
        return {"reason": str(error), "output_error": isinstance(error, OutputError)}
    return {"reason": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serve figures until standard input ends."""
    given = json.loads(sys.argv[1])
    order = _Order(**{**given, "formats": tuple(given["formats"])})
    answers, sys.stdout = sys.stdout, sys.stderr
    # A figure and its artists know each other, so that only a search frees them. One search after
    # each figure takes a tenth less time than Python's own, and nothing is kept for long.
    gc.disable()
    for line in sys.stdin:
        group = [Task(**one) for one in json.loads(line)]
        answers.write(json.dumps(_draw(group, order)) + "\n")
        answers.flush()
        gc.collect()


if __name__ == "__main__":
    main()
