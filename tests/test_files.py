from __future__ import annotations

import os
from pathlib import Path

import pytest

from urbangeo.errors import OutputError
from urbangeo.files import output_folder, writing


def test_a_file_takes_its_place_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    with writing(target) as draft:
        assert draft.suffix == ".csv"
        draft.write_text("a")
        assert not target.exists()
    assert target.read_text() == "a"
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("before")

    def fail() -> None:
        with writing(target) as draft:
            draft.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"), writing(tmp_path):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    for folder in (blocked, blocked / "below"):
        with pytest.raises(OutputError, match=r"Cannot write to the folder .*file"):
            output_folder(folder)
    with pytest.raises(OutputError), writing(blocked / "table.csv"):
        pass
    assert blocked.read_text() == "x"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom modes bind")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"), writing(locked / "table.csv"):
        pass
    assert list(locked.iterdir()) == []


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"

    def fail() -> None:
        with writing(target) as draft:
            draft.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"table\.csv: No space left"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == []
