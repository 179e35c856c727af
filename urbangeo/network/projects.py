"""The plan's projects as groups of links and services of a network.

A plan's item (``item``) is drawn as links, services or nodes of the network (``ids``, joined with
``|``); several items, of one plan or of several, may speak of one ``project``. What no table
groups is grouped by its own ``project`` column, or by ``name`` and ``cite``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network.network import Network, _bundled, check_network
from urbangeo.network.tables import STATUSES, _read_csv

__all__ = ["PROJECT_COLUMNS", "Project", "ProjectSource", "Projects", "read_projects"]

ProjectSource: TypeAlias = "str | os.PathLike[str] | pd.DataFrame"

PROJECT_COLUMNS = (
    *("item", "project", "drawn", "ids", "status", "verb"),
    *("open_year", "planned_year", "why_not", "cite", "note"),
)
_DRAWN = ("links", "services", "node", "none")
_MOST_NAMES = 3  # roads and lines that a title names
_BUILT = "已建成"
_CONNECTOR = "连接线"  # a road that only leads to the project; it does not name it


@dataclass(frozen=True)
class Project:
    """One project of a plan, or what is taken for one.

    Attributes
    ----------
    key
        What it is called in the table.
    title
        Its name for people; those of its roads and lines where the table gives none.
    links, railways, services, nodes
        Ids of its roads, pieces of railway, trains and nodes. Only roads and services change times.
    status, planned_year, cite
        As the table or the links say; several different ones are joined with ``;``.
    """

    key: str
    title: str
    links: tuple[str, ...]
    railways: tuple[str, ...]
    services: tuple[str, ...]
    nodes: tuple[str, ...]
    status: str
    planned_year: str
    cite: str

    @property
    def moving(self) -> tuple[str, ...]:
        """Ids that change times: roads and services."""
        return (*self.links, *self.services)


@dataclass(frozen=True, eq=False)
class Projects:
    """The projects of a network, each once.

    Attributes
    ----------
    table
        The rows as they were read, checked, :data:`PROJECT_COLUMNS` and further columns; empty
        where projects were made of the links' own columns.
    all
        The projects, in the table's order; those that are not drawn are in ``table`` only.
    """

    table: pd.DataFrame
    all: tuple[Project, ...]

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def by_id(self) -> dict[str, tuple[Project, ...]]:
        """The projects that a link, service or node belongs to."""
        found: dict[str, tuple[Project, ...]] = {}
        for project in self.all:
            for one in (*project.moving, *project.railways, *project.nodes):
                found[one] = (*found.get(one, ()), project)
        return found

    @classmethod
    def of(cls, net: Network, source: ProjectSource | None = None) -> Projects:
        """Find the projects of a network.

        Parameters
        ----------
        net
            The network; all of its tables count, open or not.
        source
            A table or its file; if None, the bundled table where the network's tables hold
            everything that it names.

        Returns
        -------
        Projects
            Those of the table, then what else is planned, by the links' column ``project`` or by
            ``name`` and ``cite``.

        Raises
        ------
        TableError
            If the table holds anything that cannot be used.
        """
        check_network(net)
        table = _bundled_table(net) if source is None else read_projects(source, net)
        drawn = [] if table is None else _from_table(net, table)
        known = {
            one for project in drawn for one in (*project.moving, *project.railways, *project.nodes)
        }
        frame = pd.DataFrame(columns=list(PROJECT_COLUMNS)) if table is None else table
        return cls(frame, (*drawn, *_from_links(net, known)))

    def named(self, keys: Iterable[str]) -> tuple[Project, ...]:
        """Give projects by key or title.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        of_name = {one.title: one for one in self.all} | {one.key: one for one in self.all}
        chosen = []
        for key in keys:
            if key not in of_name:
                raise UnknownNameError("project", key, of_name)
            chosen.append(of_name[key])
        return tuple(chosen)


def read_projects(source: ProjectSource, net: Network) -> pd.DataFrame:
    """Read and check a table of projects.

    Parameters
    ----------
    source
        A CSV, or a table: ``project`` and ``ids`` (a list, or ids joined with ``|``) are required,
        the others of :data:`PROJECT_COLUMNS` may be left out. ``title``, if there is one, is the
        project's name for people.
    net
        The network in whose tables every id has to be.

    Raises
    ------
    TableError
        With every finding: missing columns, an id that the network does not have, a status or
        kind that is not known, a year that is no year, an item that stands twice.
    """
    if isinstance(source, pd.DataFrame):
        table, where = source, "projects"
    elif isinstance(source, str | os.PathLike):
        table, where = _read_csv(Path(source)), os.fspath(source)
    else:
        raise InputError(
            f"projects is {type(source).__name__}; a DataFrame or the path of a CSV is expected."
        )
    lacking = [one for one in ("project", "ids") if one not in table.columns]
    if lacking:
        found = ", ".join(map(str, table.columns)) or "none"
        raise TableError(where, [f"column {one!r} is missing; found: {found}" for one in lacking])
    frame = table.reset_index(drop=True)
    out = pd.DataFrame({one: _text(frame, one) for one in PROJECT_COLUMNS})
    out["ids"] = pd.Series([_ids(one) for one in frame["ids"]], dtype=object)
    for column in frame.columns:
        if column not in out.columns:
            out[column] = frame[column]
    findings = _findings(out, _known(net), is_given={str(one) for one in frame.columns})
    if findings:
        raise TableError(where, findings)
    return out


def _text(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    if column not in frame.columns:
        return pd.Series([""] * len(frame), dtype=str)
    series = frame[column]
    text = [_plain(one) for one in series]
    return pd.Series(text, dtype=str)


def _plain(value: Any) -> str:
    """Tell a cell as text: empty if there is nothing, a whole number without its point."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _ids(value: Any) -> tuple[str, ...]:
    parts = _plain(value).split("|") if isinstance(value, str) or not _is_list(value) else value
    return tuple(dict.fromkeys(str(one).strip() for one in parts if str(one).strip()))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | set | frozenset | np.ndarray)


def _known(net: Network) -> dict[str, str]:
    """What each id of the network's tables is."""
    t = net._tables
    known = dict.fromkeys(t.nodes["id"], "node") | dict.fromkeys(t.services["service"], "service")
    road = np.where(t.is_road, "link", "railway")
    return known | dict(zip(t.links["id"], road.tolist(), strict=True))


def _findings(table: pd.DataFrame, known: dict[str, str], is_given: Collection[str]) -> list[str]:
    found = []
    if not len(table):
        found.append("there is no row")
    items = table["item"]
    for row, twice in enumerate((items != "") & items.duplicated()):
        if twice:
            found.append(f"row {row + 2}: item {items[row]!r} stands in an earlier row already")
    every: list[Any] = list(table.itertuples())
    for row, one in enumerate(every):
        at = f"row {row + 2}"
        if not one.project:
            found.append(f"{at}: project is empty")
        unknown = [each for each in one.ids if each not in known]
        if unknown:
            more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
            found.append(
                f"{at}: ids names {', '.join(map(repr, unknown[:3]))}{more}, which the network "
                "does not have as link, service or node"
            )
        if "drawn" in is_given:
            if one.drawn not in _DRAWN:
                found.append(f"{at}: drawn is {one.drawn!r}; known: {', '.join(_DRAWN)}")
            elif (one.drawn == "none") != (not one.ids):
                found.append(
                    f"{at}: drawn is {one.drawn!r}, but ids "
                    + ("is empty" if not one.ids else "names some")
                )
        if one.status and one.status not in STATUSES:
            found.append(f"{at}: status is {one.status!r}; known: {', '.join(STATUSES)}")
        for column in ("open_year", "planned_year"):
            year = getattr(one, column)
            if year and not (year.isdigit() and len(year) == 4):
                found.append(f"{at}: {column} is {year!r}; a year such as 2025 is expected")
    return found


def _bundled_table(net: Network) -> pd.DataFrame | None:
    """Read the bundled table of projects, if the network's tables hold what it names."""
    path = _bundled() / "projects.csv"
    if not path.is_file():
        return None
    named = {one for cell in _read_csv(path)["ids"] for one in _ids(cell)}
    if not named <= _known(net).keys():
        return None
    return read_projects(path, net)


def _joined(values: Iterable[Any]) -> str:
    return ";".join(dict.fromkeys(one for one in map(_plain, values) if one))


def _from_table(net: Network, table: pd.DataFrame) -> list[Project]:
    known = _known(net)
    names = _names(net)
    made = []
    for key, rows in table.groupby("project", sort=False):
        cells: list[Any] = rows["ids"].tolist()
        ids = tuple(dict.fromkeys(one for cell in cells for one in cell))
        if not ids:
            continue
        by_kind = {
            kind: tuple(one for one in ids if known[one] == kind)
            for kind in ("link", "railway", "service", "node")
        }
        title = _joined(rows["title"]) if "title" in rows.columns else ""
        made.append(
            Project(
                key=str(key),
                title=title or _title(ids, names) or str(key),
                links=by_kind["link"],
                railways=by_kind["railway"],
                services=by_kind["service"],
                nodes=by_kind["node"],
                status=_joined(rows["status"]),
                planned_year=_joined(rows["planned_year"]),
                cite=_joined(rows["cite"]),
            )
        )
    return made


def _names(net: Network) -> dict[str, str]:
    """Name, or number, of each link, service and node."""
    t = net._tables
    names = dict(zip(t.nodes["id"], t.nodes["name"], strict=True))
    names |= dict(zip(t.services["service"], t.services["name"], strict=True))
    for key, name, ref in zip(t.links["id"], t.links["name"], t.links["ref"], strict=True):
        names[key] = str(name or ref)
    return names


def _title(ids: Sequence[str], names: dict[str, str]) -> str:
    """Name a project by the roads and lines that most of its parts belong to."""
    known = pd.Series([names.get(one, "") for one in ids], dtype=str)
    known = known[known != ""]
    own = known[~known.str.endswith(_CONNECTOR)]
    counts = (own if len(own) else known).str.replace(";", "/").value_counts(sort=False)
    counts = counts.sort_values(ascending=False, kind="stable")
    told = "、".join(str(one) for one in counts.index[:_MOST_NAMES])
    return told + ("等" if len(counts) > _MOST_NAMES else "")


def _from_links(net: Network, known: Collection[str]) -> list[Project]:
    """Group what else is planned: links and services that are not built or have a planned year."""
    t = net._tables
    links = t.links.assign(kind=np.where(t.is_road, "link", "railway"))
    services = t.services.drop_duplicates("service").rename(columns={"service": "id"})
    services = services.assign(kind="service")
    columns = ["id", "kind", "name", "status", "planned_year", "cite"]
    if "project" in links.columns:
        columns.append("project")
    parts = [one.reindex(columns=columns).astype({"status": str}) for one in (links, services)]
    frame = pd.concat([one for one in parts if len(one)], ignore_index=True)
    planned = (frame["status"] != _BUILT) | frame["planned_year"].notna()
    frame = frame[planned & ~frame["id"].isin(list(known))]
    if frame.empty:
        return []
    key = frame["name"].map(_plain).where(frame["name"].map(_plain) != "", frame["id"])
    key = key + frame["cite"].map(lambda one: f"（{_plain(one)}）" if _plain(one) else "")
    if "project" in frame.columns:
        given = frame["project"].map(_plain)
        key = given.where(given != "", key)
    made = []
    for name, rows in frame.groupby(key, sort=False):
        ids = {kind: tuple(some["id"]) for kind, some in rows.groupby("kind")}
        made.append(
            Project(
                key=str(name),
                title=_joined(rows["name"]).replace(";", "/") or str(name),
                links=ids.get("link", ()),
                railways=ids.get("railway", ()),
                services=ids.get("service", ()),
                nodes=(),
                status=_joined(rows["status"]),
                planned_year=_joined(rows["planned_year"]),
                cite=_joined(rows["cite"]),
            )
        )
    return made
