"""The atlas: which figures there are, and how one or all of them are drawn and written.

Figures are entries of a manifest (:mod:`urbangeo.maps.manifest`): the bundled one in
``layers/figures/``, or a file or folder of one's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbangeo.errors import InputError, OutputError, UnknownNameError
from urbangeo.files import output_folder
from urbangeo.maps.compose import check_language, compose
from urbangeo.maps.manifest import Manifest, read_manifest
from urbangeo.maps.printing import FORMATS, save
from urbangeo.maps.records import FigureRecord
from urbangeo.maps.sheet import PAGES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from urbangeo.maps.press import Task

__all__ = ["atlas", "draw", "figure_record", "figure_table", "save"]

_PRINTED = ("heading", "title", "number")
_DRAWN = ("counties", "prefectures", "province", "surroundings", "network")
_OPTIONS = ("page", "lang", "approval", "date", "graticule", "dem")


def figure_record(key: str, manifest: str | os.PathLike[str] | None = None) -> FigureRecord:
    """Give the manifest's entry of a figure.

    Raises
    ------
    UnknownNameError
        If no figure has that key; near ones are suggested.
    TableError
        If the entry is wrong.
    """
    return _manifest(manifest).figure(key)


def _manifest(path: str | os.PathLike[str] | None) -> Manifest:
    return read_manifest(None if path is None else Path(path))


def figure_table(manifest: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """List every figure that can be drawn: ``key``, ``plan``, ``number``, ``title``, ``pages``."""
    import pandas as pd

    names = ["key", "plan", "number", "title", "pages"]
    rows = [
        [one.key, one.plan, one.number, one.title, "、".join(one.pages)]
        for one in _manifest(manifest).figures.values()
    ]
    return pd.DataFrame(rows, columns=names)


def draw(key: str, *, manifest: str | os.PathLike[str] | None = None, **inputs: Any) -> Figure:
    """Draw one figure.

    Parameters
    ----------
    key
        A key of the manifest, such as ``"qianzhong-2023/fig-1"`` or ``"circle"``.
    manifest
        A file or folder of one's own; the bundled manifest if None.
    **inputs
        What is drawn instead of what the figure would fetch itself: ``extent``, ``counties``,
        ``prefectures``, ``province``, ``surroundings``, ``network``; for a circle ``circle``, or
        ``centre``, ``minutes`` and ``network`` to compute one. What is printed: ``heading``,
        ``title``, ``number``, ``source``, ``kilometres`` (of the scale bar), ``approval``
        (审图号), ``date`` (of drawing). How: ``page`` (A4 or A3), ``lang`` (``zh``, ``en``,
        ``both``), ``graticule`` (true or false), ``dem`` (a file of heights, for hillshade).

    Returns
    -------
    matplotlib.figure.Figure
        With its own canvas; write it with :func:`save`.

    Raises
    ------
    UnknownNameError
        If there is no such figure or input.
    TableError
        If the figure's entry is wrong.
    InputError
        If something cannot be drawn.
    """
    record = figure_record(key, manifest)
    circle = any(layer.source == "circle" for layer in record.layers)
    own = ("circle", "centre", "minutes") if circle else ("extent", "source", "kilometres")
    for name in inputs:
        known = (*own, *_DRAWN, *_PRINTED, *_OPTIONS)
        if name not in known:
            raise UnknownNameError(f"input of figure {key!r}", name, known)
    if inputs.get("circle") is not None:
        asked = [name for name in ("centre", "minutes", "network") if name in inputs]
        if asked:
            raise InputError(
                f"A circle was given, and {', '.join(asked)} too; a circle has these already. "
                "Give one or the other."
            )
    options = {name: inputs.pop(name) for name in _OPTIONS if name in inputs}
    printed = {name: inputs.pop(name) for name in _PRINTED if name in inputs}
    if "kilometres" in inputs:
        printed["scale_bar_km"] = inputs.pop("kilometres")
    return compose(replace(record, **printed), inputs, **options)


def atlas(
    out: str | os.PathLike[str],
    figures: Iterable[str] | None = None,
    formats: Iterable[str] = FORMATS,
    dpi: float = 300,
    *,
    pages: Iterable[str] | None = None,
    lang: str = "zh",
    manifest: str | os.PathLike[str] | None = None,
    bind: bool = True,
    gpkg: bool = False,
    dem: str | os.PathLike[str] | None = None,
    graticule: bool | None = None,
    date: str = "",
    approval: str | None = None,
    jobs: int | None = None,
    progress: bool = False,
) -> list[Path]:
    """Draw figures and write them into a folder, on all cores there are.

    Parameters
    ----------
    out
        Folder; made if it does not exist.
    figures
        Keys, or patterns such as ``qianzhong-2023/*``; all of the manifest if None.
    formats
        Any of ``pdf``, ``svg``, ``png``.
    dpi
        Dots per inch of PNG.
    pages
        Papers, of those that a figure names; all of them if None.
    lang
        ``zh``, ``en`` (titles and legend where the manifest gives English) or ``both``.
    manifest
        A file or folder of one's own; the bundled manifest if None.
    bind
        Also write a contact sheet, ``contact-sheet.png``, and for each paper one PDF of all
        figures with an outline, ``atlas-A4.pdf``.
    gpkg
        Also write ``atlas.gpkg``, a GeoPackage with the layers of all figures and their styles,
        ``atlas-styles/`` with a ``.qml`` for each table, and ``atlas.qgs``, a QGIS project of it.
    dem, graticule, date, approval
        As :func:`draw` takes them, for all figures.
    jobs
        Processes; as many as there are cores if None. With 1 nothing is started.
    progress
        Show a bar on standard error.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the manifest: ``<key>.<format>`` on the figure's first paper,
        ``<key>-<paper>.<format>`` on another, ``/`` of a key as ``-``; then what binds them, and
        what is for QGIS.

    Raises
    ------
    UnknownNameError
        If a key is not known; nothing is drawn then.
    InputError
        If a format is not known or, after all others were written, if figures failed.
    OutputError
        If the folder or a file cannot be written.
    """
    from urbangeo.maps.binding import bind_atlas
    from urbangeo.maps.press import Task, run

    known = _manifest(manifest)
    keys = _asked(figures, known)
    kinds = _checked("Formats are", formats, FORMATS, str.lower)
    papers = _checked("Pages are", pages if pages is not None else PAGES, tuple(PAGES), str.upper)
    check_language(lang)
    folder = output_folder(out)
    failed = [f"{key}: {known.errors[key]}" for key in keys if key in known.errors]
    tasks = []
    for key in keys:
        if key not in known.figures:
            continue
        record = known.figures[key]
        tasks += [
            Task(key, page, file_stem(key, page, record.pages[0]), _lane(record))
            for page in record.pages
            if page in papers
        ]
    clashing = _clashing(tasks)
    failed += clashing.values()
    tasks = [task for task in tasks if task.key not in clashing]
    total = len(tasks) + len(failed)
    done = run(
        tasks,
        folder,
        formats=kinds,
        dpi=dpi,
        options={
            "lang": lang,
            "dem": None if dem is None else str(Path(dem).absolute()),
            "graticule": graticule,
            "date": date,
            "approval": approval,
        },
        records=known.figures,
        jobs=jobs,
        progress=progress,
        keep=bind,
        export=gpkg,
    )
    written = [path for one in done for path in one.files]
    unwritten = any(one.output_error for one in done)
    failed += [f"{one.task.key} ({one.task.page}): {one.reason}" for one in done if not one.ok]
    try:
        if bind and any(one.ok for one in done):
            written += bind_atlas(done, folder, known, lang)
        if gpkg and any(one.maps for one in done):
            from urbangeo.maps.qgis.project import write_qgis

            written += write_qgis([table for one in done for table in one.maps], folder)
    except OutputError as error:
        if not failed:
            raise
        unwritten = True
        failed.append(str(error))
        total += 1
    if failed:
        others = " (the others were written)" if len(failed) < total else ""
        kind = OutputError if unwritten else InputError
        raise kind(
            f"{len(failed)} of {total} figures could not be drawn{others}:\n"
            + "\n".join(f"  - {reason}" for reason in failed)
        )
    return written


def _asked(figures: Iterable[str] | None, known: Manifest) -> list[str]:
    """Give the keys of the figures that are asked for, in that order.

    Raises
    ------
    UnknownNameError
        If one is not known, or a pattern fits none.
    """
    every = [*known.figures, *known.errors]
    if figures is None:
        return every
    keys: dict[str, None] = {}
    for name in figures:
        found = [key for key in every if fnmatchcase(key, name)] if "*" in name else [name]
        if not found:
            raise UnknownNameError("figure", name, every)
        for key in found:
            if key not in known.errors:
                known.figure(key)
            keys[key] = None
    return list(keys)


def _lane(record: FigureRecord) -> str:
    """Tell what a figure shares with others that takes long to make: the commuting circles."""
    circles = any(layer.source.startswith("circle") for layer in record.layers)
    return "circles" if circles else ""


def _clashing(tasks: Iterable[Task]) -> dict[str, str]:
    """Tell of figures whose files would have one name, by key; disks may not tell A from a."""
    owner = dict.fromkeys(("contact-sheet", *(f"atlas-{page}".lower() for page in PAGES)), "")
    found = {}
    for task in tasks:
        other = owner.setdefault(task.stem.lower(), task.key)
        if other == task.key:
            continue
        if not other:
            found[task.key] = f"{task.key}: {task.stem} is a name of the atlas; choose another key"
            continue
        words = f"{other!r} and {task.key!r} would both be written as {task.stem}; rename one"
        for key in (other, task.key):
            found.setdefault(key, words)
    return found


def file_stem(key: str, page: str, first: str) -> str:
    """Name a figure's files."""
    stem = key.replace("/", "-")
    return stem if page == first else f"{stem}-{page}"


def _checked(what: str, given: Iterable[str], known: Sequence[str], form: Any) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(form(str(one).lstrip(".")) for one in given))
    if not asked or any(one not in known for one in asked):
        told = ", ".join(map(repr, asked)) or "none"
        raise InputError(f"{what} {told}; known: {', '.join(known)}.")
    return asked
