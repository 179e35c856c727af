"""Tables of times too large for memory: in blocks, to Parquet, on one machine or on many.

A folder holds a manifest and one Parquet file for each block of origins. A file takes its place
whole or not at all, so what stands there after an interruption is right and is not computed again;
the files are the same as without the interruption.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.engine import choose, table
from urbangeo.access.entries import Entries, entries, vertex_lonlat
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.times import Asked, check_cutoff, direct_pairs
from urbangeo.errors import InputError, OutputError
from urbangeo.files import output_folder, writing
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Matrix", "block_bytes", "travel_time_matrix"]

MANIFEST = "manifest.json"
_LOCK = ".lock"
_DRAFT = ".urbangeo-"  # how the folders begin in which files are written before they are named
_FORMAT = 1
_BLOCK_PAIRS = 4_000_000
_BYTES_PER_PAIR = 64
_ENGINE_BYTES = 300 * 2**20
_MOST_TRIES = 4

Progress = bool | Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Times from many origins to many destinations, in files.

    Attributes
    ----------
    folder
        Where they are.
    manifest
        What was asked: network with digest, year, profile and attribution; modes; cutoff, minutes;
        number and digest of origins and destinations; block; and each file with the origins that
        it holds, its number of rows and its SHA-256.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def parts(self) -> list[Path]:
        """The Parquet files, in the order of the origins."""
        return [self.folder / one["file"] for one in self.manifest["parts"]]

    def read(self) -> pd.DataFrame:
        """Read everything: columns ``origin``, ``destination``, ``minutes``; it must fit in memory.

        Labels are categories. With a cutoff only pairs within it are there; without one all are,
        NaN where there is no way.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = [pq.read_table(one) for one in self.parts]
        frame: pd.DataFrame = pa.concat_tables(tables).unify_dictionaries().to_pandas()
        return frame

    def __repr__(self) -> str:
        """Say in a line what it is."""
        one = self.manifest
        return (
            f"<Matrix {one['origins']['count']:,} × {one['destinations']['count']:,} in "
            f"{len(one['parts'])} file(s), {self.folder}>"
        )


def block_bytes(graph: Graph, destinations: int, block: int, threads: int = 1) -> int:
    """Bound the memory that computing one block takes, beside network, origins and destinations.

    64 bytes for each pair of the block; for each thread 33 bytes for each vertex and arc of the
    graph; 300 MB that scipy or a hierarchy may use.

    Parameters
    ----------
    graph
        The graph.
    destinations, block
        Number of destinations, and of origins in a block.
    threads
        Threads that search.
    """
    rooms = threads * 33 * (graph.n_vertices + graph.n_arcs)
    return _BYTES_PER_PAIR * destinations * block + rooms + _ENGINE_BYTES


def travel_time_matrix(
    net: Network,
    origins: PlaceLike,
    destinations: PlaceLike,
    path: str | os.PathLike[str],
    cutoff: float | None = None,
    *,
    modes: Iterable[str] = MODES,
    block: int | None = None,
    client: Any = None,
    progress: Progress = False,
    engine: str | None = None,
) -> Matrix:
    """Measure the times from each origin to each destination into Parquet files, block by block.

    Call it again after an interruption (a lost power supply, a full disk, a killed process): blocks
    whose file is there are not computed again, and the files are the same in the end.

    Parameters
    ----------
    net
        The network.
    origins, destinations
        As for :func:`urbangeo.travel_times`, with labels that each stand once.
    path
        Folder for the files: a new or empty one, or that of the same question.
    cutoff
        Minutes, inclusive. With one, pairs that take longer are not stored.
    modes
        Any of ``road``, ``rail`` and ``walk``.
    block
        Origins in a block; as many as make four million pairs if None.
    client
        A ``dask.distributed.Client``: its workers compute the blocks. The graph is sent to them
        once; a block whose worker is lost is computed by another. Files are written here, so that
        the workers need no common disk.
    progress
        Show a bar, or a function that is called with the number of blocks done and of all.
    engine
        One of :data:`urbangeo.access.engine.ENGINES`; chosen by the shape of the question if None.
        The files do not depend on it.

    Returns
    -------
    Matrix

    Raises
    ------
    InputError
        If a place, the cutoff, a label or the block cannot be used, or the folder holds the answer
        to another question.
    OutputError
        If a file cannot be written. What was written stays, and is used by the next call.

    Notes
    -----
    Memory is bounded by the block, :func:`block_bytes`: with the default some 256 MB, and 300 MB
    for scipy or a hierarchy, beside network, origins and destinations. With a client two blocks
    for each of its threads may wait here to be written.
    """
    check_network(net)
    question = _Question.of(net, origins, destinations, check_cutoff(cutoff), modes, block, engine)
    folder = output_folder(path)
    with _locked(folder):
        done = question.found_in(folder)
        spans = question.spans
        todo = [one for one in range(len(spans)) if one not in done]
        with _bar(progress, len(spans)) as tell:
            tell(len(done), len(spans))
            answers = question.here(todo) if client is None else question.on(client, todo)
            for number, ms in answers:
                try:
                    done[number] = question.write(folder, number, ms)
                except OutputError as error:
                    raise OutputError(
                        f"{error} {len(done)} of {len(spans)} blocks are safe in {folder}: once "
                        "there is room, call again with the same arguments to go on."
                    ) from error
                del ms  # or it would stand beside the next block
                tell(len(done), len(spans))
        manifest = {**question.manifest, "complete": True}
        manifest["parts"] = [done[number] for number in range(len(spans))]
        _write_json(folder / MANIFEST, manifest)
    return Matrix(folder, manifest)


# -- one question ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs for any block; sent once."""

    graph: Graph
    ends: Entries
    limit_ms: float
    engine: str
    lonlat: NDArray[np.float64]
    order: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class _Block:
    """What is particular to one block: how its origins enter, and times past the graph."""

    starts: Entries
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    ms: NDArray[np.float64]


def _answer(job: _Job, block: _Block, threads: int | None = None) -> NDArray[np.float64]:
    """Times of a block, whole milliseconds, infinite where there is none within the limit."""
    if job.order is not None:
        job.graph._cache.setdefault("order", job.order)
    ms = table(
        job.graph,
        block.starts,
        job.ends,
        limit_ms=job.limit_ms,
        lonlat=job.lonlat,
        engine=job.engine,
        threads=threads,
    )
    kept = block.ms <= job.limit_ms
    np.minimum.at(ms, (block.row[kept], block.column[kept]), block.ms[kept])
    return ms


class _Question:
    """A matrix on its way from question to files."""

    def __init__(
        self,
        net: Network,
        begin: gpd.GeoDataFrame,
        end: gpd.GeoDataFrame,
        limit_ms: float,
        modes: tuple[str, ...],
        block: int,
        engine: str | None,
    ) -> None:
        self.net, self.begin, self.end, self.limit_ms = net, begin, end, limit_ms
        self.asked = Asked.of(net, begin, end, modes)
        graph = self.asked.graph
        ends = range(0, len(begin), block)
        self.spans = [(one, min(one + block, len(begin))) for one in ends]
        self.labels = [
            _labels(one, what) for one, what in ((begin, "origins"), (end, "destinations"))
        ]
        searches = min(len(begin), len(end) * len(self.spans))
        chosen = engine or choose(graph, searches, limit_ms=limit_ms, is_table=True)
        self.job = _Job(
            graph=graph,
            ends=entries(self.asked.snaps, self.asked.end, leaving=False),
            limit_ms=limit_ms,
            engine=chosen,
            lonlat=vertex_lonlat(net._tables.lonlat, graph),
        )
        self.manifest: dict[str, Any] = {
            "format": _FORMAT,
            "network": {**net.describe()},
            "modes": list(modes),
            "cutoff_min": None if math.isinf(limit_ms) else limit_ms / MS,
            "origins": _described(begin, self.labels[0]),
            "destinations": _described(end, self.labels[1]),
            "block": block,
            "complete": False,
        }

    @classmethod
    def of(
        cls,
        net: Network,
        origins: PlaceLike,
        destinations: PlaceLike,
        limit_ms: float,
        modes: Iterable[str],
        block: int | None,
        engine: str | None,
    ) -> _Question:
        begin, end = as_points(origins, "origins"), as_points(destinations, "destinations")
        check_inside(begin, net, "origins")
        if block is None:
            block = max(1, min(len(begin), _BLOCK_PAIRS // len(end)))
        elif isinstance(block, bool) or not isinstance(block, int | np.integer) or block < 1:
            raise InputError(f"block is {block!r}; a whole number of origins above 0 is expected.")
        return cls(net, begin, end, limit_ms, check_modes(modes), int(block), engine)

    def block(self, number: int) -> _Block:
        """Prepare a block."""
        start, stop = self.spans[number]
        begin = self.asked.begin[start:stop]
        asked = self.asked
        row, column, ms, _ = direct_pairs(
            self.net, asked.graph.layers, asked.snaps, asked.lonlat, begin, asked.end
        )
        return _Block(entries(asked.snaps, begin, leaving=True), row, column, ms)

    # -- computing ---------------------------------------------------------------------------

    def here(self, todo: Sequence[int]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Compute blocks in this process."""
        for number in todo:
            ms = _answer(self.job, self.block(number))
            yield number, ms
            del ms

    def on(self, client: Any, todo: Sequence[int]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Have blocks computed by a cluster, a few more than it has threads at a time.

        The scheduler moves the blocks of a lost worker to others. If the last copy of the graph
        was lost, it is sent again.
        """
        if not todo:
            return
        if not (hasattr(client, "scatter") and hasattr(client, "submit")):
            raise InputError(
                f"client is a {type(client).__name__}; a dask.distributed.Client is expected."
            )
        distributed: Any = importlib.import_module("distributed")
        job = self._lean()
        held = client.scatter(job, broadcast=True, hash=False)
        room = 2 * max(1, sum(client.nthreads().values()))
        tries = dict.fromkeys(todo, 0)
        waiting = list(reversed(todo))
        numbers: dict[str, int] = {}
        finished = distributed.as_completed()

        def submit(number: int) -> None:
            future = client.submit(_answer, held, self.block(number), 1, pure=False)
            numbers[future.key] = number
            finished.add(future)

        try:
            for _ in range(min(room, len(waiting))):
                submit(waiting.pop())
            for future in finished:
                number = numbers.pop(future.key)
                try:
                    ms = future.result()
                except (distributed.KilledWorker, CancelledError) as error:
                    tries[number] += 1
                    if tries[number] >= _MOST_TRIES:
                        start, stop = self.spans[number]
                        raise OutputError(
                            f"The workers were lost {tries[number]} times while they computed "
                            f"origins {start} to {stop - 1}. Give them more memory or choose a "
                            "smaller block; call again to go on."
                        ) from error
                    held = client.scatter(job, broadcast=True, hash=False)
                    submit(number)
                    continue
                finally:
                    del future
                yield number, ms
                if waiting:
                    submit(waiting.pop())
        finally:
            finished.clear()  # what was not asked for any more is given up

    def _lean(self) -> _Job:
        """The job without what can be made anew, and with what takes long to make."""
        graph, order = self.job.graph, None
        if self.job.engine == "cch":
            from urbangeo.access.hierarchy import Hierarchy

            order = Hierarchy.of(graph, self.job.lonlat).order
        return replace(self.job, graph=replace(graph, rides=None, _cache={}), order=order)

    # -- files -------------------------------------------------------------------------------

    def file(self, number: int) -> str:
        """Name of a block's file; ascending names are in the order of the origins."""
        width = max(5, len(str(len(self.spans) - 1)))
        return f"part-{number:0{width}d}.parquet"

    def write(self, folder: Path, number: int, ms: NDArray[np.float64]) -> dict[str, Any]:
        """Write a block, whole or not at all; its entry for the manifest."""
        import pyarrow.parquet as pq

        rows = self._rows(number, ms)
        with writing(folder / self.file(number)) as draft:
            pq.write_table(rows, draft, compression="zstd", write_statistics=True)
            with draft.open("rb") as written:
                os.fsync(written.fileno())  # before the name is given to it
        return self._entry(folder, number, rows.num_rows)

    def _rows(self, number: int, ms: NDArray[np.float64]) -> pa.Table:
        import pyarrow as pa

        start, stop = self.spans[number]
        reached = np.isfinite(ms)
        if math.isinf(self.limit_ms):
            row, column = (one.ravel() for one in np.indices(ms.shape, dtype=np.int32))
            minutes = pa.array(ms.ravel() / MS, mask=~reached.ravel())
        else:
            row, column = (one.astype(np.int32) for one in np.nonzero(reached))
            minutes = pa.array(ms[reached] / MS)
        origin, destination = self.labels
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(row), origin.slice(start, stop - start)),
            pa.DictionaryArray.from_arrays(pa.array(column), destination),
            minutes,
        ]
        made = pa.table(columns, names=["origin", "destination", "minutes"])
        return made.replace_schema_metadata({"urbangeo": self._stamp(number)})

    def _stamp(self, number: int) -> str:
        """What tells a block of this question from any other."""
        asked = json.dumps(self.manifest, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{asked};{number}".encode()).hexdigest()

    def _entry(self, folder: Path, number: int, rows: int) -> dict[str, Any]:
        start, stop = self.spans[number]
        file = self.file(number)
        with (folder / file).open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        return {"file": file, "origins": [start, stop], "rows": rows, "sha256": digest}

    def found_in(self, folder: Path) -> dict[int, dict[str, Any]]:
        """Find the blocks of this question that a folder holds; begin it if it holds none.

        Raises
        ------
        InputError
            If the folder holds something else.
        """
        before = folder / MANIFEST
        others = [one.name for one in folder.iterdir() if one.name not in (MANIFEST, _LOCK)]
        if not before.exists():
            # a run that was killed before it wrote anything leaves a draft of the manifest
            foreign = [one for one in others if not one.startswith(_DRAFT)]
            if foreign:
                raise InputError(
                    f"The folder {folder} holds other files, such as {min(foreign)}. Choose a "
                    "new or an empty folder."
                )
        else:
            self._check_same(before)
        for one in others:
            if one.startswith(_DRAFT):  # left by a run that was killed
                shutil.rmtree(folder / one, ignore_errors=True)
        if not before.exists():
            _write_json(before, self.manifest)
        found = {}
        for number in range(len(self.spans)):
            rows = self._whole(folder / self.file(number), number)
            if rows is not None:
                found[number] = self._entry(folder, number, rows)
        return found

    def _check_same(self, before: Path) -> None:
        try:
            known = json.loads(before.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{before} cannot be read ({error}); choose another folder, or remove this one."
            ) from error
        asked = json.loads(json.dumps(self.manifest))
        differ = [
            one
            for one in asked
            if one != "complete" and (not isinstance(known, dict) or known.get(one) != asked[one])
        ]
        if differ:
            raise InputError(
                f"The folder {before.parent} holds the answer to another question: it differs in "
                f"{', '.join(differ)}. Choose another folder, or remove this one."
            )

    def _whole(self, file: Path, number: int) -> int | None:
        """Number of rows of a block's file; None if it is not there or not of this question."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not file.exists():
            return None
        try:
            footer = pq.read_metadata(file)
        except (pa.ArrowException, OSError):
            return None  # written over below
        told = footer.schema.to_arrow_schema().metadata or {}
        same = told.get(b"urbangeo") == self._stamp(number).encode()
        return int(footer.num_rows) if same else None


def _labels(points: gpd.GeoDataFrame, what: str) -> pa.Array:
    """Labels of a table's rows as they are stored.

    Raises
    ------
    InputError
        If one stands twice, or they are of several types.
    """
    import pyarrow as pa

    again = points.index[points.index.duplicated()]
    if len(again):
        raise InputError(
            f"{what}: the label {again[0]!r} stands more than once, so rows could not be told "
            "apart. Give each its own, for example with .reset_index()."
        )
    try:
        return pa.array(points.index)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"{what}: labels of this kind cannot be stored ({error}). Use text or numbers."
        ) from error


def _described(points: gpd.GeoDataFrame, labels: pa.Array) -> dict[str, Any]:
    """Number and digest of places: where they are, and what they are called."""
    sha = hashlib.sha256(np.ascontiguousarray(points[["lon", "lat"]].to_numpy(float)).tobytes())
    sha.update(json.dumps([str(labels.type), [str(one) for one in points.index]]).encode())
    return {"count": len(points), "sha256": sha.hexdigest()}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with writing(path) as draft:
        text = json.dumps(content, ensure_ascii=False, indent=2)
        draft.write_text(text + "\n", encoding="utf-8", newline="\n")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second run out of a folder; the lock of a killed one is gone with it."""
    try:
        import fcntl
    except ImportError:  # Windows; there files that are open cannot be replaced anyway
        yield
        return
    path = folder / _LOCK
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"Another run is writing to {folder}. Wait for it, or choose another folder."
            ) from error
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def _bar(progress: Progress, total: int) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, call the caller's function, or do neither."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield lambda done, of: None
        return
    from rich.progress import Progress as Bar

    with Bar() as bar:
        task = bar.add_task("travel times", total=total)
        yield lambda done, of: bar.update(task, completed=done)
