"""Writing results whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from urbangeo.errors import OutputError

__all__ = ["output_folder", "writing"]


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
