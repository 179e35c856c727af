"""Files of GTFS feeds: archives, folders, text; what is refused before anything is read."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from gtfsfeeds import (
    Reader,
    as_csv,
    calls,
    line_feed,
    of,
    reader,
    refused,
    stop,
    trip,
    write_folder,
    write_zip,
)

from urbangeo.errors import InputError, TableError
from urbangeo.network import gtfsfeed
from urbangeo.network.gtfs import read_gtfs


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


def test_missing_files_and_columns(read: Reader) -> None:
    tables = line_feed([420], calendar=[], routes=[])
    said = refused(read, tables)
    assert "routes.txt is missing" in said
    assert "calendar.txt or calendar_dates.txt is missing" in said
    tables = line_feed([420], trips=[{"trip_id": "t0", "service_id": "W"}])
    assert (
        "trips.txt: 1 finding(s), nothing was read:\n  - column 'route_id' is missing"
        in refused(read, tables)
    )
    assert "it has no header" in refused(read, {**line_feed([420]), "frequencies": "\n"})
    assert "it holds no call" in refused(
        read,
        {
            **line_feed([420]),
            "stop_times": as_csv(
                [
                    dict.fromkeys(("trip_id", "stop_id", "stop_sequence", "arrival_time"), "")
                    | {"departure_time": ""}
                ]
            ),
        },
    )


def test_ids_that_repeat(read: Reader) -> None:
    tables = line_feed([420])
    tables["stops"] += [dict(tables["stops"][0])]
    made = read(tables)
    assert made.report.repaired == {"rows_repeated": 1}
    tables["stops"] += [stop("B", 110.0)]
    assert "stops.txt: 1 finding(s), nothing was read:\n  - stop_id 'B' stands in two rows" in (
        refused(read, tables)
    )
    tables = line_feed([420])
    tables["trips"] += [trip("t0", calendar="other"), trip("")]
    said = refused(read, tables)
    assert "trip_id 't0' stands in two rows that differ" in said
    assert "a row has no trip_id" in said


def test_a_folder_reads_as_its_zip(read: Reader, tmp_path: Path) -> None:
    tables = line_feed([420, 440])
    zipped, folder = read(tables), read_gtfs(write_folder(tmp_path / "feed", tables))
    same = [column for column in zipped.services if column != "source"]
    pd.testing.assert_frame_equal(zipped.services[same], folder.services[same])


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "feed", line_feed([420]))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"feed/stops\.txt cannot be read: Permission denied"):
        read_gtfs(folder)


def test_a_feed_in_a_folder_of_its_archive(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in line_feed([420]).items():
            archive.writestr(f"guiyang/{name}.txt", "\ufeff" + as_csv(rows).replace(",", " , "))
            archive.writestr(f"__MACOSX/guiyang/{name}.txt", "nothing")
        archive.writestr("guiyang/shapes.txt", "not read")
    assert of(read_gtfs(path), "M1.1", "station") == list("ABCD")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("zunyi/stops.txt", "x")
    with pytest.raises(InputError, match=r"has two files stops\.txt: 'guiyang/stops\.txt' and"):
        read_gtfs(path)


@pytest.mark.parametrize(
    "name", ["../stops.txt", "/etc/stops.txt", "a/../../x", "..\\stops.txt", "C:\\stops.txt"]
)
def test_members_that_lead_outside(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "feed.zip", line_feed([420]))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InputError, match="which leads outside the archive"):
        read_gtfs(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_feed_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {**line_feed([420]), "frequencies": "trip_id,start_time,end_time,headway_secs\n" * 999}
    path = write_zip(tmp_path / "feed.zip", tables)
    monkeypatch.setattr(gtfsfeed, "LARGEST_FEED", 40_000)
    expected = r"unpacks to 0\.0 GB, of which frequencies\.txt 0\.0 GB; at most 0\.0 GB are read"
    with pytest.raises(InputError, match=expected):
        read_gtfs(path)


def test_a_feed_that_lies_about_its_size(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "feed.zip", line_feed([420]))
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("stops.txt")
    data = bytearray(path.read_bytes())
    # the size stands in the central directory, 24 bytes into the entry that ends with the name
    entry = data.rindex(b"stops.txt") - 46
    assert data[entry + 24 : entry + 28] == member.file_size.to_bytes(4, "little")
    data[entry + 24 : entry + 28] = (40).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged: stops\.txt: Bad CRC-32"):
        read_gtfs(path)


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with pytest.raises(InputError, match="There is no GTFS feed"):
        read_gtfs(path)
    path.write_text("<html>404</html>")
    with pytest.raises(InputError, match="is not a zip archive, or only a part of one"):
        read_gtfs(path)
    whole = write_zip(path, line_feed(list(range(420, 520)))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="or only a part of one"):
        read_gtfs(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("stops.txt", "x")
    with pytest.raises(InputError, match="not packed with deflate"):
        read_gtfs(path)
    # a bit turned within the data
    where = whole.index(b"stop_times.txt") + 200
    path.write_bytes(whole[:where] + bytes([whole[where] ^ 255]) + whole[where + 1 :])
    with pytest.raises(InputError, match="is damaged"):
        read_gtfs(path)


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in line_feed([420]).items():
            archive.writestr(f"{name}.txt", as_csv(rows).replace("A", "贵阳").encode("gb18030"))
    with pytest.raises(TableError, match=r"stops\.txt: .*\n  - not UTF-8"):
        read_gtfs(path)


def test_rows_with_too_many_fields(read: Reader) -> None:
    tables: dict[str, Any] = line_feed([420])
    tables["stops"] = as_csv(tables["stops"]).replace("A站", "A,站")
    assert "stops.txt" in refused(read, tables)


def test_ids_are_text(read: Reader) -> None:
    tables = line_feed(
        [],
        stops=[stop("007", 106.0), stop("7", 106.1), stop("1.0", 106.2), stop("NA", 106.3)],
        trips=[trip("01"), trip("1")],
        stop_times=[
            *calls("01", 420, [("007", 0, 0), ("7", 4, 4), ("1.0", 8, 8), ("NA", 9, 9)]),
            *calls("1", 440, [("007", 0, 0), ("7", 4, 4)]),
        ],
    )
    made = read(tables)
    assert of(made, "M1.1", "station") == ["007", "7", "1.0", "NA"]
    assert of(made, "M1.2", "station") == ["007", "7"]


def test_large_feeds_are_read_in_parts(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = line_feed([420, 440])
    whole = read(tables)
    monkeypatch.setattr(gtfsfeed, "_CHUNK", 3)
    pd.testing.assert_frame_equal(whole.services, read(tables).services)


def test_the_source_names_the_feed(read: Reader) -> None:
    info = [{"feed_publisher_name": "贵阳地铁", "feed_version": "3"}]
    made = read(line_feed([420], feed_info=info))
    assert set(made.services["source"]) == {"GTFS feed.zip 贵阳地铁 3"}
    assert set(made.nodes["source"]) == {"GTFS feed.zip 贵阳地铁 3"}
