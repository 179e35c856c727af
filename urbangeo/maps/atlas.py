"""The atlas: which figures there are, and how one or all of them are drawn and written.

Figures are entries of the manifest, TOML files in ``layers/figures/``. An entry names how it is
drawn (its kind), and a kind fetches what it draws from layers, plans and the network, unless the
caller gives it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from urbangeo.catalog import data_folder
from urbangeo.errors import InputError, OutputError, TableError, UnknownNameError, UrbangeoError
from urbangeo.files import output_folder
from urbangeo.maps import figures as drawing
from urbangeo.maps.furniture import PAGES
from urbangeo.maps.printing import FORMATS, save

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["FigureRecord", "atlas", "draw", "figure_record", "figure_table", "save"]


@dataclass(frozen=True, kw_only=True)
class FigureRecord:
    """One entry of the manifest.

    Attributes
    ----------
    key
        What :func:`draw` is asked for.
    kind
        How it is drawn.
    heading, title, number
        As printed; empty where they are made from what is drawn.
    page
        Paper, landscape.
    extent
        Extent that it shows, as :func:`urbangeo.extent` takes it.
    scale_bar_km
        Length of the scale bar; None for a round one that fits.
    centres, minutes
        What a circle is drawn for unless one is given.
    """

    key: str
    kind: str
    heading: str = ""
    title: str = ""
    number: str = ""
    page: str = "A4"
    extent: str = ""
    scale_bar_km: float | None = None
    centres: tuple[str, ...] = ()
    minutes: float = 60.0


def _extent_figure(record: FigureRecord, inputs: dict[str, Any]) -> Figure:
    from urbangeo.boundaries import surroundings
    from urbangeo.layer import load
    from urbangeo.plans import extent as find_extent
    from urbangeo.plans import plan_record

    chosen = inputs.pop("extent", None)
    if chosen is None or isinstance(chosen, str):
        chosen = find_extent(chosen or record.extent)
    plan_key = str(getattr(chosen, "plan", ""))
    if "source" not in inputs and plan_key:
        plan = plan_record(plan_key)
        members = chosen.members
        cites = "、".join(dict.fromkeys(members["cite"].astype(str).replace("", None).dropna()))
        inputs["source"] = f"《{plan.title}》（{plan.publisher}，{plan.date}）{cites}"
    for name in ("counties", "prefectures", "province"):
        if inputs.get(name) is None:
            inputs[name] = load(name)
    if "surroundings" not in inputs:
        inputs["surroundings"] = surroundings()
    return drawing.draw_extent(
        chosen,
        **_labelled(record, inputs),
        kilometres=inputs.pop("kilometres", record.scale_bar_km),
    )


def _circle_figure(record: FigureRecord, inputs: dict[str, Any]) -> Figure:
    from urbangeo.layer import load

    circle = inputs.pop("circle", None)
    asked = {name: inputs.pop(name) for name in ("centre", "minutes", "network") if name in inputs}
    if circle is None:
        from urbangeo.access.circle import commuting_circle

        asked = {"centre": list(record.centres), "minutes": record.minutes, **asked}
        circle = commuting_circle(**asked)
    elif asked:
        raise InputError(
            f"A circle was given, and {', '.join(asked)} too; a circle has these already. "
            "Give one or the other."
        )
    for name in ("counties", "province"):
        if inputs.get(name) is None:
            inputs[name] = load(name)
    return drawing.draw_circle(circle, **_labelled(record, inputs))


def _labelled(record: FigureRecord, inputs: dict[str, Any]) -> dict[str, Any]:
    printed = {name: getattr(record, name) for name in ("heading", "title", "number", "page")}
    return {**printed, **inputs}


_Maker = Callable[[FigureRecord, dict[str, Any]], "Figure"]

_COMMON = ("heading", "title", "number", "page", "approval")

_KINDS: Mapping[str, tuple[_Maker, tuple[str, ...]]] = MappingProxyType(
    {
        "extent": (
            _extent_figure,
            (
                *("extent", "counties", "prefectures", "province", "surroundings"),
                *("source", "kilometres", *_COMMON),
            ),
        ),
        "circle": (
            _circle_figure,
            ("circle", "centre", "minutes", "network", "counties", "province", *_COMMON),
        ),
    }
)
"""How each kind is drawn, and what the caller may give it."""


@lru_cache(maxsize=8)
def _manifest(folder: Path) -> Mapping[str, FigureRecord]:
    found: dict[str, FigureRecord] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TableError(path, [f"not TOML in UTF-8: {error}"]) from error
        findings = [
            f"unknown table {name!r}; figures are [[figure]]"
            for name in content
            if name != "figure"
        ]
        for row, entry in enumerate(content.get("figure", []), start=1):
            problems = _problems(entry, found)
            findings += [f"figure {row} ({entry.get('key', 'without key')}): {p}" for p in problems]
            if not problems:
                entry = {**entry, "centres": tuple(entry.get("centres", ()))}
                found[entry["key"]] = FigureRecord(**entry)
        if findings:
            raise TableError(path, findings)
    return MappingProxyType(found)


def _problems(entry: Mapping[str, Any], known: Mapping[str, FigureRecord]) -> list[str]:
    allowed = {field.name for field in fields(FigureRecord)}
    found = [
        f"unknown field {name!r}; known: {', '.join(sorted(allowed))}"
        for name in entry
        if name not in allowed
    ]
    for name in ("key", "kind"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            found.append(f"field {name!r} is missing or empty")
    if entry.get("kind") and entry["kind"] not in _KINDS:
        found.append(f"kind is {entry['kind']!r}; known: {', '.join(_KINDS)}")
    if entry.get("page", "A4") not in PAGES:
        found.append(f"page is {entry['page']!r}; known: {', '.join(PAGES)}")
    if entry.get("key") in known:
        found.append(f"another figure has the key {entry['key']!r} too")
    for name in ("scale_bar_km", "minutes"):
        value = entry.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            found.append(f"{name} is {value!r}; a number above 0 is expected")
    if entry.get("kind") == "extent" and not entry.get("extent"):
        found.append("a figure of kind 'extent' needs the field 'extent'")
    if entry.get("kind") == "circle" and not entry.get("centres"):
        found.append("a figure of kind 'circle' needs the field 'centres'")
    return found


def figure_record(key: str) -> FigureRecord:
    """Give the manifest's entry of a figure.

    Raises
    ------
    UnknownNameError
        If no figure has that key; near ones are suggested.
    """
    known = _manifest(data_folder() / "figures")
    if key not in known:
        raise UnknownNameError("figure", key, known)
    return known[key]


def figure_table() -> pd.DataFrame:
    """List every figure of the manifest: ``key``, ``kind``, ``number``, ``title``, ``page``."""
    import pandas as pd

    names = ["key", "kind", "number", "title", "page"]
    known = _manifest(data_folder() / "figures").values()
    return pd.DataFrame([[getattr(one, name) for name in names] for one in known], columns=names)


def draw(key: str, **inputs: Any) -> Figure:
    """Draw one figure.

    Parameters
    ----------
    key
        A key of the manifest, such as ``"qianzhong-2023/fig-1"`` or ``"circle"``.
    **inputs
        What is drawn instead of what the figure would fetch itself. For an extent: ``extent``,
        ``counties``, ``prefectures``, ``province``, ``surroundings``; for a circle: ``circle``,
        or ``centre``, ``minutes``, ``network`` to compute one, ``counties``, ``province``. For
        both: ``heading``, ``title``, ``number``, ``page`` (A4 or A3), ``approval`` (审图号).

    Returns
    -------
    matplotlib.figure.Figure
        With its own canvas; write it with :func:`save`.

    Raises
    ------
    UnknownNameError
        If there is no such figure or input.
    InputError
        If something cannot be drawn.
    """
    record = figure_record(key)
    make, known = _KINDS[record.kind]
    for name in inputs:
        if name not in known:
            raise UnknownNameError(f"input of figure {key!r}", name, known)
    return make(record, dict(inputs))


def atlas(
    out: str | os.PathLike[str],
    figures: Iterable[str] | None = None,
    formats: Iterable[str] = FORMATS,
    dpi: float = 300,
) -> list[Path]:
    """Draw figures and write them into a folder.

    Parameters
    ----------
    out
        Folder; made if it does not exist.
    figures
        Keys; all of the manifest if None.
    formats
        Any of ``pdf``, ``svg``, ``png``.
    dpi
        Dots per inch of PNG.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the manifest: ``<key>.<format>``, ``/`` of a key as ``-``.

    Raises
    ------
    UnknownNameError
        If a key is not known; nothing is drawn then.
    InputError
        If a format is not known or, after all others were written, if figures failed.
    OutputError
        If the folder or a file cannot be written.
    """
    keys = list(dict.fromkeys(figures)) if figures is not None else list(figure_table()["key"])
    for key in keys:
        figure_record(key)
    kinds = list(dict.fromkeys(str(one).lower().lstrip(".") for one in formats))
    unknown = [kind for kind in kinds if kind not in FORMATS]
    if unknown or not kinds:
        raise InputError(
            f"Formats are {', '.join(map(repr, kinds)) or 'none'}; known: {', '.join(FORMATS)}."
        )
    folder = output_folder(out)
    written: list[Path] = []
    failed: list[str] = []
    for key in keys:
        try:
            figure = draw(key)
            for kind in kinds:
                written.append(save(figure, folder / f"{key.replace('/', '-')}.{kind}", dpi=dpi))
        except OutputError:
            raise
        except UrbangeoError as error:
            failed.append(f"{key}: {error}")
    if failed:
        raise InputError(
            f"{len(failed)} of {len(keys)} figures could not be drawn (the others were written):\n"
            + "\n".join(f"  - {reason}" for reason in failed)
        )
    return written
