"""Writing results whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from urbangeo.errors import InputError, OutputError

__all__ = ["output_folder", "write_by_suffix", "writing"]

Result = TypeVar("Result")


def output_folder(folder: str | os.PathLike[str]) -> Path:
    """Make sure that a folder exists and can be written to.

    Raises
    ------
    OutputError
        If it cannot be made, is a file, or cannot be written to.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"Cannot write to the folder {path}: {reason}. Choose a folder that you may write to."
        ) from error
    return path


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place on success.

    The temporary file keeps the suffix, because drivers choose their format by
    it. On an exception it is removed, and what stood at ``path`` stays as it was.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"Cannot write {target}: it is a folder. Name a file in it.")
    folder = output_folder(target.parent)
    work = Path(tempfile.mkdtemp(prefix=".urbangeo-", dir=folder))
    try:
        draft = work / target.name
        yield draft
        draft.replace(target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_by_suffix(
    result: Result,
    path: str | os.PathLike[str],
    writers: Mapping[str, Callable[[Result, Path], None]],
) -> None:
    """Write a result to a file of the kind that its suffix names, whole or not at all.

    Parameters
    ----------
    result
        What is written.
    path
        The file.
    writers
        For each suffix, in lower case, what writes a result to a path.

    Raises
    ------
    InputError
        If the suffix is none of these.
    OutputError
        If the folder or the file cannot be written.
    """
    write = writers.get(Path(path).suffix.lower())
    if write is None:
        raise InputError(
            f"Cannot tell what to write from the name {os.fspath(path)!r}; "
            f"end it in {', '.join(writers)}."
        )
    with writing(path) as draft:
        write(result, draft)
