"""What a network says of itself."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from urbangeo.errors import NetworkError

__all__ = ["Facts"]

_N = TypeVar("_N", int, float)


@dataclass(frozen=True)
class Facts:
    """What a network says of itself (``network.toml`` beside its tables).

    Attributes
    ----------
    title
        In Chinese.
    schematic
        True if it is a skeleton, so that what is drawn from it must say so.
    first_year, last_year
        Years for which the tables can tell what is open; None if they don't say.
    attribution
        Lines that a figure or report drawn from it must carry.
    error_share
        Share of the travel time by which it was found to err against published times, or None
        where it has not been compared.
    """

    title: str = "路网"
    schematic: bool = False
    first_year: int | None = None
    last_year: int | None = None
    attribution: tuple[str, ...] = ()
    error_share: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give what is stated, as attributes of a graph."""
        stated = {key: value for key, value in asdict(self).items() if value is not None}
        return {**stated, "attribution": list(self.attribution)}

    @classmethod
    def of_graph(cls, attributes: Mapping[str, Any]) -> Facts:
        """Take facts from the attributes of a graph; OpenStreetMap's where it names nobody.

        GraphML makes text of everything: numbers and truth are read out of it.
        """
        osm = ("© OpenStreetMap contributors (ODbL)",)
        named = attributes.get("attribution", osm)
        if isinstance(named, str):
            named = _listed(named)

        def number(key: str, kind: type[_N]) -> _N | None:
            try:
                return kind(attributes[key])
            except (KeyError, TypeError, ValueError):
                return None

        return cls(
            title=str(attributes.get("title", "OSMnx 路网")),
            schematic=str(attributes.get("schematic", "")).lower() == "true",
            first_year=number("first_year", int),
            last_year=number("last_year", int),
            attribution=tuple(map(str, named)),
            error_share=number("error_share", float),
        )

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Read ``network.toml``; an unknown key or a value of another type is an error."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise NetworkError(f"{path} is not TOML in UTF-8: {error}.") from error
        findings = [f"unknown key {key!r}" for key in content if key not in _TYPES]
        for key, kinds in _TYPES.items():
            value = content.get(key)
            if value is not None and (
                not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)
            ):
                findings.append(f"{key} is {value!r}, which is of the wrong type")
        if findings:
            raise NetworkError(f"{path}: {'; '.join(findings)}.")
        content["attribution"] = tuple(map(str, content.get("attribution", ())))
        return cls(**content)


def _listed(text: str) -> list[str]:
    """Read a list that was made into text; anything else is one line."""
    try:
        lines = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        lines = None
    return [str(one) for one in lines] if isinstance(lines, list) else [text]


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "schematic": bool,
    "first_year": int,
    "last_year": int,
    "attribution": list,
    "error_share": (int, float),
}
