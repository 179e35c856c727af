"""The errors that urbangeo raises.

Each message names the thing, what was expected, what was found, and what to do.
A user's mistake is an :class:`InputError`; the command line turns it into one
sentence and exit status 2.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AmbiguousNameError",
    "CRSError",
    "DatumWarning",
    "InputError",
    "NetworkError",
    "OutputError",
    "TableError",
    "UnknownNameError",
    "UrbangeoError",
]


class UrbangeoError(Exception):
    """Base of every error that urbangeo raises on purpose."""


class InputError(UrbangeoError, ValueError):
    """What the caller gave cannot be used as it is."""


class CRSError(InputError):
    """A coordinate reference system is missing, mixed or implausible."""


class DatumWarning(UserWarning):
    """Coordinates are probably shifted against WGS 84 by more than their precision."""


class NetworkError(InputError):
    """A network is inconsistent, or does not hold what was asked of it."""


class OutputError(UrbangeoError, OSError):
    """A result could not be written; nothing half-written is left behind."""


class UnknownNameError(InputError, LookupError):
    """A name that is not known; near ones are suggested.

    Parameters
    ----------
    what
        Kind of thing that was asked for, such as ``"layer"``.
    name
        The name as given.
    known
        All names that would have been accepted.
    hint
        A further sentence on what to do.
    """

    def __init__(self, what: str, name: str, known: Iterable[str] = (), hint: str = "") -> None:
        names = list(known)
        near = get_close_matches(str(name), names, n=5, cutoff=0.4)
        near += [other for other in names if str(name) and str(name) in other and other not in near]
        text = f"Unknown {what} {name!r}."
        if near:
            text += f" Did you mean {', '.join(near[:5])}?"
        elif names and len(names) <= 12:
            text += f" Known: {', '.join(names)}."
        super().__init__(f"{text} {hint}".strip())
        self.name = name
        self.suggestions = near[:5]


class AmbiguousNameError(InputError, LookupError):
    """A name that several things bear; the candidates are listed.

    Parameters
    ----------
    name
        The name as given.
    candidates
        One string for each thing that bears it, precise enough to be used instead.
    """

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        super().__init__(
            f"{name!r} names {len(candidates)} places: {', '.join(candidates)}. "
            "Give the county too, as in these names."
        )
        self.name = name
        self.candidates = list(candidates)


class TableError(InputError):
    """A table was refused; every finding is listed at once.

    Parameters
    ----------
    table
        The file or table that was refused.
    findings
        One sentence for each finding, with row and column where they are known.
    """

    def __init__(self, table: object, findings: Sequence[str]) -> None:
        shown = "\n".join(f"  - {finding}" for finding in findings[:50])
        more = f"\n  … and {len(findings) - 50} more" if len(findings) > 50 else ""
        super().__init__(f"{table}: {len(findings)} finding(s), nothing was read:\n{shown}{more}")
        self.table = str(table)
        self.findings = list(findings)
