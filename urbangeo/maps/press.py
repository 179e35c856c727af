"""Draw many figures at once, each core its own process, and tell how each went.

The processes are started as ``python -m urbangeo.maps.press`` and not by :mod:`multiprocessing`,
which would run the caller's script a second time unless it is written for that. They take a task
a line from standard input and answer with a line, so that one that dies costs one figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from urbangeo.errors import OutputError, UrbangeoError

__all__ = ["Done", "Task", "run"]

THUMB_DPI = 60


@dataclass(frozen=True)
class Task:
    """A figure on a paper, and the stem of its files."""

    key: str
    page: str
    stem: str


@dataclass
class Done:
    """How a task went.

    Attributes
    ----------
    files
        Written, in the order of the formats.
    thumb, pdf
        A small picture, and a PDF for binding; in memory.
    reason
        Why it failed; empty if it did not.
    output_error
        The reason is that a file could not be written.
    """

    task: Task
    files: list[Path] = field(default_factory=list)
    thumb: bytes = b""
    pdf: bytes = b""
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
    lang: str
    manifest: str | None
    keep: str


def run(
    tasks: Sequence[Task],
    folder: Path,
    *,
    formats: tuple[str, ...],
    dpi: float,
    lang: str,
    manifest: Path | None,
    jobs: int | None,
    progress: bool,
    keep_pdf: bool,
) -> list[Done]:
    """Draw all tasks; give how each went, in their order."""
    count = min(len(tasks), jobs or os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as kept:
        order = _Order(
            str(folder.absolute()),
            formats,
            dpi,
            lang,
            None if manifest is None else str(manifest.absolute()),
            kept if keep_pdf else "",
        )
        with _bar(len(tasks), shown=progress) as advance:
            if count <= 1:
                answers = [_one(task, order, advance) for task in tasks]
            else:
                answers = _shared(tasks, order, count, advance)
        return [_collected(task, one, kept) for task, one in zip(tasks, answers, strict=True)]


class _bar:  # noqa: N801 a context manager, used like a function
    """A progress bar on standard error, if one is wanted."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self.total, self.shown = total, shown

    def __enter__(self) -> Callable[[str], None]:
        if not self.shown:
            return lambda _: None
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
        return lambda text: self.progress.update(row, advance=1, description=text)

    def __exit__(self, *exception: object) -> None:
        if self.shown:
            self.progress.stop()


def _one(task: Task, order: _Order, advance: Callable[[str], None]) -> dict[str, Any]:
    answer = _draw(task, order)
    advance(task.key)
    return answer


def _shared(
    tasks: Sequence[Task], order: _Order, count: int, advance: Callable[[str], None]
) -> list[dict[str, Any]]:
    waiting: SimpleQueue[int] = SimpleQueue()
    for row in range(len(tasks)):
        waiting.put(row)
    answers: list[dict[str, Any]] = [{} for _ in tasks]

    def feed() -> None:
        worker: subprocess.Popen[str] | None = None
        try:
            while True:
                try:
                    row = waiting.get_nowait()
                except Empty:
                    return
                worker = worker or _start(order)
                answers[row], alive = _ask(worker, tasks[row])
                if not alive:
                    worker = None
                advance(tasks[row].key)
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


def _ask(worker: subprocess.Popen[str], task: Task) -> tuple[dict[str, Any], bool]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(json.dumps(asdict(task)) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except OSError:
        line = ""
    if line:
        answer: dict[str, Any] = json.loads(line)
        return answer, True
    status = worker.wait()
    worker.stdout.close()
    with suppress(OSError):
        worker.stdin.close()
    told = f"the process that drew it ended with status {status}; was there memory enough?"
    return {"reason": told}, False


def _collected(task: Task, answer: dict[str, Any], kept: str) -> Done:
    done = Done(
        task,
        [Path(one) for one in answer.get("files", ())],
        reason=answer.get("reason", ""),
        output_error=bool(answer.get("output_error")),
    )
    for name in ("png", "pdf"):
        path = Path(kept) / f"{task.stem}.{name}"
        if done.ok and path.is_file():
            setattr(done, "thumb" if name == "png" else "pdf", path.read_bytes())
    return done


def _draw(task: Task, order: _Order) -> dict[str, Any]:
    """Draw and write a figure; give the answer of a process."""
    from urbangeo.maps import atlas, printing

    try:
        figure = atlas.draw(task.key, manifest=order.manifest, page=task.page, lang=order.lang)
        files = []
        for kind in order.formats:
            path = Path(order.folder) / f"{task.stem}.{kind}"
            files.append(str(printing.save(figure, path, dpi=order.dpi)))
        if order.keep:
            stem = Path(order.keep) / task.stem
            printing.save(figure, f"{stem}.png", dpi=THUMB_DPI)
            if "pdf" in order.formats:
                written = Path(order.folder) / f"{task.stem}.pdf"
                Path(f"{stem}.pdf").write_bytes(written.read_bytes())
            else:
                printing.save(figure, f"{stem}.pdf")
    except UrbangeoError as error:
        return {"reason": str(error), "output_error": isinstance(error, OutputError)}
    except Exception as error:  # noqa: BLE001 one figure's fault must not cost the others
        return {"reason": f"{type(error).__name__}: {error}"}
    return {"files": files}


def main() -> None:
    """Serve tasks until standard input ends."""
    given = json.loads(sys.argv[1])
    order = _Order(**{**given, "formats": tuple(given["formats"])})
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        answers.write(json.dumps(_draw(Task(**json.loads(line)), order)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
