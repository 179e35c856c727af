"""Matrices in files: the same whatever happened on the way."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
from grids import link, network, node, square_grid
from shapely.geometry import Point

from urbangeo.access import matrix
from urbangeo.access.engine import ENGINES
from urbangeo.access.machine import available
from urbangeo.access.matrix import block_bytes, travel_time_matrix
from urbangeo.access.times import travel_times
from urbangeo.errors import InputError, OutputError
from urbangeo.network import Network


def spots(count: int, index: list[Any] | None = None) -> gpd.GeoDataFrame:
    """Give points near the streets of a square grid of 5 by 5."""
    rng = np.random.default_rng(2)
    lonlat = np.column_stack([rng.uniform(107, 107.04, count), rng.uniform(27, 27.04, count)])
    return gpd.GeoDataFrame(geometry=[Point(*one) for one in lonlat], crs=4326, index=index)


def contents(folder: Path) -> dict[str, str]:
    """Name and hash of everything in a folder."""
    return {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest() if one.is_file() else "folder"
        for one in folder.iterdir()
    }


@pytest.fixture
def net() -> Network:
    return square_grid(5)


def test_the_files_hold_what_travel_times_says(net: Network, tmp_path: Path) -> None:
    begin = spots(11, [f"o{i}" for i in range(11)])
    end = spots(7).rename(index=lambda i: f"d{i}")
    made = travel_time_matrix(net, begin, end, tmp_path / "all", block=4)
    frame = made.read()
    expected = travel_times(net, begin, end)
    assert len(frame) == 77
    wide = frame.pivot_table("minutes", "origin", "destination", observed=True)
    assert wide.loc[expected.index, expected.columns].to_numpy().tolist() == (
        expected.to_numpy().tolist()
    )
    assert [one["origins"] for one in made.manifest["parts"]] == [[0, 4], [4, 8], [8, 11]]
    assert [pq.read_metadata(one).num_rows for one in made.parts] == [28, 28, 21]
    assert made.manifest["network"]["digest"] == net.digest
    assert repr(made) == f"<Matrix 11 × 7 in 3 file(s), {tmp_path / 'all'}>"


def test_with_a_cutoff_only_what_is_in_time_is_stored(net: Network, tmp_path: Path) -> None:
    begin, end = spots(6), spots(9)
    found = travel_time_matrix(net, begin, end, tmp_path / "some", 3, block=5).read()
    expected = travel_times(net, begin, end, 3, form="long")
    assert 0 < len(found) < 54
    for column in ("origin", "destination", "minutes"):
        assert found[column].tolist() == expected[column].tolist()


def test_pairs_without_a_way_are_kept_and_empty(tmp_path: Path) -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    places = gpd.GeoDataFrame(geometry=[Point(107, 27), Point(109, 27)], index=["a", "c"], crs=4326)
    found = travel_time_matrix(net, places, places, tmp_path / "islands").read()
    assert found["minutes"].isna().tolist() == [False, True, True, False]


@pytest.mark.parametrize("name", ENGINES)
def test_the_engine_leaves_no_trace(net: Network, tmp_path: Path, name: str) -> None:
    if name not in available():
        pytest.skip(f"{name} is not installed")
    begin, end = spots(9), spots(5)
    plain = travel_time_matrix(net, begin, end, tmp_path / "a", block=2, engine="scipy")
    other = travel_time_matrix(net, begin, end, tmp_path / "b", block=2, engine=name)
    assert contents(plain.folder) == contents(other.folder)


RUN = """
    import os, sys
    sys.path.insert(0, sys.argv[1])
    from test_matrix import spots
    from grids import square_grid
    from urbangeo.access import matrix
    import pyarrow.parquet as pq
    how, folder = sys.argv[2:]
    whole = pq.write_table
    written = []

    def half(rows, draft, **options):
        # the third block is cut off in the middle of its file
        whole(rows, draft, **options)
        written.append(draft)
        if len(written) == 3:
            with open(draft, "r+b") as file:
                file.truncate(os.path.getsize(draft) // 2)
            os._exit(9)

    if how == "middle":
        pq.write_table = half

    def tell(done, of):
        if how == "between" and done == 2:
            os._exit(9)
        if how == "slow":
            print(done, flush=True)

    if how == "slow":
        plain = matrix._answer
        import time
        matrix._answer = lambda *all: (time.sleep(0.15), plain(*all))[1]
    matrix.travel_time_matrix(
        square_grid(5), spots(20), spots(6), folder, block=2, progress=tell
    )
"""


def start(how: str, folder: Path) -> subprocess.Popen[str]:
    code = textwrap.dedent(RUN)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent), how, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", ["between", "middle"])
def test_a_killed_run_goes_on_and_leaves_the_same_files(
    net: Network, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = travel_time_matrix(net, spots(20), spots(6), tmp_path / "whole", block=2)
    with start(how, tmp_path / "killed") as run:
        assert run.wait() == 9
    before = contents(tmp_path / "killed")
    safe = sorted(name for name in before if name.startswith("part-"))
    assert safe == ["part-00000.parquet", "part-00001.parquet"]
    assert any(name.startswith(".urbangeo-") for name in before) == (how == "middle")
    computed = []
    plain = matrix._answer

    def counted(*what: Any) -> Any:
        computed.append(1)
        return plain(*what)

    monkeypatch.setattr(matrix, "_answer", counted)
    resumed = travel_time_matrix(net, spots(20), spots(6), tmp_path / "killed", block=2)
    assert len(computed) == 8  # of ten; two were safe
    assert contents(resumed.folder) == contents(whole.folder)
    # once more: nothing is left to do
    again = travel_time_matrix(net, spots(20), spots(6), tmp_path / "killed", block=2)
    assert len(computed) == 8
    assert again.manifest == whole.manifest


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_from_outside_wherever_it_was(net: Network, tmp_path: Path) -> None:
    whole = travel_time_matrix(net, spots(20), spots(6), tmp_path / "whole", block=2)
    with start("slow", tmp_path / "killed") as run:
        assert run.stdout is not None
        while run.stdout.readline().strip() not in ("4", ""):
            pass
        time.sleep(0.07)
        run.kill()
        run.wait()
    assert len(list((tmp_path / "killed").glob("part-*"))) in (4, 5)
    travel_time_matrix(net, spots(20), spots(6), tmp_path / "killed", block=2)
    assert contents(tmp_path / "killed") == contents(whole.folder)


def test_a_full_disk_is_told_and_gone_on_from(
    net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = travel_time_matrix(net, spots(8), spots(6), tmp_path / "whole", block=2)
    plain = pq.write_table

    def full(rows: Any, draft: Path, **options: Any) -> None:
        if draft.name == "part-00002.parquet":
            draft.write_bytes(b"PAR1 and then no room")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(rows, draft, **options)

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OutputError, match=r"No space left on device.*2 of 4 blocks are safe"):
        travel_time_matrix(net, spots(8), spots(6), tmp_path / "full", block=2)
    assert sorted(contents(tmp_path / "full")) == [
        "manifest.json", "part-00000.parquet", "part-00001.parquet",
    ]  # fmt: skip
    assert json.loads((tmp_path / "full" / "manifest.json").read_text())["complete"] is False
    monkeypatch.setattr(pq, "write_table", plain)
    travel_time_matrix(net, spots(8), spots(6), tmp_path / "full", block=2)
    assert contents(tmp_path / "full") == contents(whole.folder)


def test_a_damaged_block_is_computed_again(net: Network, tmp_path: Path) -> None:
    made = travel_time_matrix(net, spots(8), spots(6), tmp_path / "one", block=2)
    before = contents(made.folder)
    made.parts[1].write_bytes(b"not a parquet file")
    made.parts[2].unlink()
    # a block of another place in the order is no block of this one
    made.parts[3].write_bytes(made.parts[0].read_bytes())
    travel_time_matrix(net, spots(8), spots(6), tmp_path / "one", block=2)
    assert contents(made.folder) == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cutoff": 5}, "cutoff_min"),
        ({"block": 3}, "block"),
        ({"net": square_grid(5).scaled(0.5)}, "network"),
        ({"origins": spots(9)}, "origins"),
        ({"destinations": spots(6, list("abcdef"))}, "destinations"),
        ({"modes": ("road",)}, "modes"),
    ],
)
def test_the_folder_of_another_question_is_left_alone(
    net: Network, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    question = {"net": net, "origins": spots(8), "destinations": spots(6), "block": 2}
    travel_time_matrix(path=tmp_path / "one", **question)
    before = contents(tmp_path / "one")
    with pytest.raises(InputError, match=f"another question: it differs in {named}"):
        travel_time_matrix(path=tmp_path / "one", **{**question, **change})
    assert contents(tmp_path / "one") == before


def test_a_folder_with_other_files_is_left_alone(net: Network, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files, such as thesis\.txt"):
        travel_time_matrix(net, spots(2), spots(2), tmp_path)
    (tmp_path / "thesis.txt").unlink()
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        travel_time_matrix(net, spots(2), spots(2), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write to the folder"):
        travel_time_matrix(net, spots(2), spots(2), tmp_path / "file")


def test_two_runs_do_not_write_to_one_folder(net: Network, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def second(done: int, of: int) -> None:
        if done == 1:
            with pytest.raises(OutputError, match="Another run is writing"):
                travel_time_matrix(net, spots(4), spots(2), tmp_path / "one", block=2)

    travel_time_matrix(net, spots(4), spots(2), tmp_path / "one", block=2, progress=second)


def test_bad_input_is_named(net: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the label 'x' stands more than once"):
        travel_time_matrix(net, spots(2, ["x", "x"]), spots(2), tmp_path / "one")
    with pytest.raises(InputError, match="labels of this kind cannot be stored"):
        travel_time_matrix(net, spots(2, ["x", 1]), spots(2), tmp_path / "one")
    for block in (0, -1, 2.5, True):
        with pytest.raises(InputError, match="a whole number of origins above 0"):
            travel_time_matrix(net, spots(2), spots(2), tmp_path / "one", block=block)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cutoff is nan"):
        travel_time_matrix(net, spots(2), spots(2), tmp_path / "one", float("nan"))
    with pytest.raises(InputError, match="client is a str"):
        travel_time_matrix(net, spots(2), spots(2), tmp_path / "two", client="tcp://here")
    with pytest.raises(InputError, match="origins: none given"):
        travel_time_matrix(net, [], spots(2), tmp_path / "one")


def test_a_place_off_the_network_has_empty_rows(net: Network, tmp_path: Path) -> None:
    begin = gpd.GeoDataFrame(geometry=[Point(107.3, 27.3), Point(107, 27)], crs=4326)
    found = travel_time_matrix(net, begin, spots(3), tmp_path / "one").read()
    assert found["minutes"].isna().tolist() == [True] * 3 + [False] * 3


def test_the_bar_is_shown(net: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    travel_time_matrix(net, spots(4), spots(2), tmp_path / "one", block=2, progress=True)
    assert "travel times" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["scipy", "numba"])
def test_memory_is_bounded_by_the_block(tmp_path: Path, name: str) -> None:
    if name not in available():
        pytest.skip(f"{name} is not installed")
    net = square_grid(5)
    begin, end = spots(3000), spots(500)
    graph = net.graph(("road", "rail"))
    ask = partial(matrix._Question.of, net, begin, end, np.inf, ("road", "rail"))
    ask(200, name)  # makes what is kept with the network
    peaks = []
    for block in (200, 1000):
        tracemalloc.start()
        question = ask(block, name)
        tracemalloc.reset_peak()
        start_, _ = tracemalloc.get_traced_memory()
        folder = tmp_path / f"{block}"
        folder.mkdir()
        for number, ms in question.here(range(2)):
            question.write(folder, number, ms)
            del ms
        peaks.append(tracemalloc.get_traced_memory()[1] - start_)
        tracemalloc.stop()
        pairs = block_bytes(graph, 500, block) - block_bytes(graph, 500, 0)
        assert pairs == 64 * 500 * block
        assert peaks[-1] < block_bytes(graph, 500, block)
    # five times the block takes no more than five times the stated bytes for its pairs
    assert peaks[1] - peaks[0] < 64 * 500 * 800


# -- a cluster ---------------------------------------------------------------------------------


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give two processes that know this module, also when they are started again."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


def lose_a_worker_once(flag: str) -> None:
    """Kill the process that runs this, the first time."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os._exit(1)


def frail(job: Any, block: Any, threads: Any, flag: str) -> Any:
    lose_a_worker_once(flag)
    return matrix._answer(job, block, threads)


def test_a_cluster_writes_the_same_files_though_a_worker_is_lost(
    net: Network, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = travel_time_matrix(net, spots(20), spots(6), tmp_path / "plain", block=2)
    scattered, submitted = [], []
    scatter, submit = cluster.scatter, cluster.submit

    def counted(job: Any, **options: Any) -> Any:
        scattered.append(options["broadcast"])
        return scatter(job, **options)

    flag = str(tmp_path / "lost")

    def sent(function: Any, *what: Any, **options: Any) -> Any:
        submitted.append(1)
        return submit(frail, *what, flag, **options)

    monkeypatch.setattr(cluster, "scatter", counted)
    monkeypatch.setattr(cluster, "submit", sent)
    told: list[int] = []
    made = travel_time_matrix(
        net, spots(20), spots(6), tmp_path / "many", block=2, client=cluster,
        progress=lambda done, of: told.append(done),
    )  # fmt: skip
    assert Path(flag).exists()  # a worker was lost
    assert contents(made.folder) == contents(plain.folder)
    assert told == list(range(11))  # each block once
    assert scattered[0] is True
    assert len(scattered) <= 2  # once; once more if its last copy went with the worker


def test_a_cluster_gets_the_order_of_the_hierarchy(
    net: Network, tmp_path: Path, cluster: Any
) -> None:
    if "cch" not in available():
        pytest.skip("routingkit-cch is not installed")
    plain = travel_time_matrix(net, spots(9), spots(6), tmp_path / "plain", block=2)
    question = matrix._Question.of(net, spots(9), spots(6), np.inf, ("road", "rail"), 2, "cch")
    order = question._lean().order
    assert order is not None
    assert sorted(order.tolist()) == list(range(question.job.graph.n_vertices))
    made = travel_time_matrix(
        net, spots(9), spots(6), tmp_path / "many", block=2, client=cluster, engine="cch"
    )
    assert contents(made.folder) == contents(plain.folder)
