"""The manifest: what each figure is made of, read from TOML and checked before anything is drawn.

A figure is an entry ``[[figure]]`` with its layers ``[[figure.layer]]``; a style of one's own is a
table ``[style.NAME]``. ``docs/writing-a-figure.md`` tells every field with an example. Whatever is
wrong with one figure is found when the file is read, named with file, figure and entry, and keeps
no other figure from being drawn.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from urbangeo.catalog import data_folder
from urbangeo.errors import InputError, TableError, UnknownNameError, UrbangeoError
from urbangeo.maps.reader import EntryReader
from urbangeo.maps.records import FigureRecord
from urbangeo.maps.symbols import Style, own_style

__all__ = ["Manifest", "read_manifest"]


@dataclass(frozen=True)
class Manifest:
    """Figures by key, and what is wrong with the others.

    Attributes
    ----------
    figures
        Those that can be drawn, in the order of the files.
    errors
        By key, or by file where it cannot be read at all.
    """

    figures: Mapping[str, FigureRecord]
    errors: Mapping[str, TableError]

    def figure(self, key: str) -> FigureRecord:
        """Give a figure.

        Raises
        ------
        TableError
            If its entry is wrong.
        UnknownNameError
            If there is no such figure; near ones are suggested.
        """
        if key in self.errors:
            raise self.errors[key]
        if key not in self.figures:
            raise UnknownNameError("figure", key, self.figures)
        return self.figures[key]


def read_manifest(path: str | Path | None = None) -> Manifest:
    """Read the manifest: the bundled one, or a file or folder of one's own.

    Raises
    ------
    InputError
        If there is no such file or folder, or no TOML file in it.
    """
    where = data_folder() / "figures" if path is None else Path(path)
    files = sorted(where.glob("*.toml")) if where.is_dir() else [where]
    files = [one for one in files if one.is_file()]
    if not files:
        raise InputError(
            f"No manifest was found at {where}; expected a TOML file, or a folder of them."
        )
    found = _read(tuple((one, one.stat().st_mtime_ns, one.stat().st_size) for one in files))
    return _by_plan(found) if path is None else found


def _by_plan(found: Manifest) -> Manifest:
    """Put the figures of plans first, in the order of the plans; a file is named after its plan."""
    from urbangeo.plans import plans

    order = {str(key): row for row, key in enumerate(plans()["key"])}
    figures = sorted(found.figures.items(), key=lambda one: order.get(one[1].file.stem, len(order)))
    return Manifest(MappingProxyType(dict(figures)), found.errors)


@lru_cache(maxsize=8)
def _read(stamps: tuple[tuple[Path, int, int], ...]) -> Manifest:
    figures: dict[str, FigureRecord] = {}
    errors: dict[str, TableError] = {}
    seen: dict[str, Path] = {}
    contents: list[tuple[Path, dict[str, Any]]] = []
    own: dict[str, Style] = {}
    homes: dict[str, Path] = {}
    for path, *_ in stamps:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            errors[str(path)] = TableError(path, [f"not TOML in UTF-8: {error}"])
            continue
        except OSError as error:
            errors[str(path)] = TableError(path, [f"cannot be read: {error.strerror or error}"])
            continue
        findings = [
            f"unknown table {name!r}; known: [[figure]], [style.NAME]"
            for name in content
            if name not in {"figure", "style"}
        ]
        findings += _read_styles(content.get("style", {}), own, homes, path)
        entries = content.get("figure", [])
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            findings.append("figures are written [[figure]], with two brackets")
            content["figure"] = []
        if findings:
            errors[str(path)] = TableError(path, findings)
        contents.append((path, content))
    for path, content in contents:
        for row, entry in enumerate(content.get("figure", []), start=1):
            key = entry.get("key")
            label = f"figure {row} ({key or 'without key'})"
            reader = EntryReader(label, own, path)
            record = reader.figure(entry)
            name = key if isinstance(key, str) and key else f"{path}: figure {row}"
            if name in seen:
                reader.findings.append(
                    f"{label}: another figure has the key {key!r} too, in {seen[name].name}"
                )
                figures.pop(name, None)
            seen.setdefault(name, path)
            if reader.findings or record is None:
                known = errors[name].findings if name in errors else []
                errors[name] = TableError(path, [*known, *reader.findings])
            else:
                figures[name] = record
    return Manifest(MappingProxyType(figures), MappingProxyType(errors))


def _read_styles(
    entries: Any, own: dict[str, Style], homes: dict[str, Path], path: Path
) -> list[str]:
    """Read a file's styles, which the figures of all files may use; give what is wrong."""
    if not isinstance(entries, dict):
        return ["styles are written [style.NAME]"]
    findings = []
    for name, entry in entries.items():
        if homes.setdefault(name, path) != path:
            findings.append(f"style {name!r}: another has the name too, in {homes[name].name}")
            continue
        try:
            own[name] = own_style(entry, own)
        except (UrbangeoError, TypeError) as error:
            findings.append(f"style {name!r}: {error}")
    return findings
