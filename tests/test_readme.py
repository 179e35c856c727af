"""What the README shows is what the library says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

import urbangeo as ug
from urbangeo import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_lines_of_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 our own README
    assert (tmp_path / "circle.gpkg").is_file()


def test_the_answer_in_words_is_the_one_that_is_computed() -> None:
    quoted = "".join(line[2:] for line in README.splitlines() if line.startswith("> "))
    assert quoted == ug.commuting_circle("贵阳", 60).summary()


def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("我的村镇.csv").write_text("名称,经度,纬度\n甲,106.63,26.65\n", encoding="utf-8")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [line.split("#")[0] for line in lines if line.startswith("urbangeo")]
    assert len(commands) >= 6
    for command in commands:
        if "atlas" in command:
            command += " --format png --dpi 40"
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        # 温泉 is shown because it is ambiguous
        assert status == (2 if "温泉" in command else 0), (command, said.err)
    assert Path("圈.gpkg").is_file()
    assert len(list(Path("out").iterdir())) >= 2


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
