"""All benchmarks in turn; what they found beside what was recorded.

``python benchmarks/run.py`` runs each script of :data:`SCRIPTS` in a process of its own and prints
its goals with the recorded numbers. Exit status 1 if a script fails, a goal is missed that was
recorded as met, or a number is more than 20 % worse than recorded. ``--record`` writes what was
found to ``recorded.json`` and the table of ``docs/performance.md``; ``--only NAME`` runs some.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from goals import Goal

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"
PAGE = HERE.parent / "docs" / "performance.md"
WORSE = 1.2
SCRIPTS = (
    ("bounded_search.py",),
    ("bounded_search.py", "--world"),
    ("matrix.py",),
    ("surface.py",),
    ("membership.py",),
    ("critical.py",),
    ("opportunities.py",),
    ("growth.py",),
    ("cluster.py",),
    ("network.py",),
    ("ingest.py",),
)
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def run(script: tuple[str, ...]) -> tuple[int, list[Goal]]:
    """Run one script; its exit status and its goals."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "goals"
        done = subprocess.run(  # noqa: S603 our own scripts
            [sys.executable, str(HERE / script[0]), *script[1:]],
            env={**os.environ, "URBANGEO_GOALS": str(path)},
            check=False,
        )
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return done.returncode, [Goal(**json.loads(line)) for line in lines]


def worse(now: Goal, before: Goal) -> float:
    """How many times worse a number is than it was."""
    better, other = (now.value, before.value) if now.at_least else (before.value, now.value)
    return other / better if better > 0 else 1.0


def table(goals: dict[str, Goal]) -> str:
    """Give the results as a table in Markdown."""
    rows = ["| work | found | must be | |", "|---|---|---|---|"]
    for one in goals.values():
        word = "≥" if one.at_least else "≤"
        number = f"{one.value:.2%}" if one.measure == "share" else f"{one.value:.3g} {one.measure}"
        limit = f"{one.limit:.1%}" if one.measure == "share" else f"{one.limit:g}"
        verdict = "✓" if one.met else "**missed**"
        rows.append(f"| {one.work} | {number} | {word} {limit} | {verdict} |")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return "\n".join([*rows, "", f"Each script in one run, on {machine}."])


def main() -> int:
    """Run, compare, and record if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="names of scripts, without .py")
    options = parser.parse_args()
    stored = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    before = {key: Goal(**one) for key, one in stored.items()}
    found: dict[str, Goal] = {}
    broken: list[str] = []
    for script in SCRIPTS:
        name = " ".join(script)
        if options.only and script[0].removesuffix(".py") not in options.only:
            continue
        print(f"\n=== {name}", flush=True)
        status, goals = run(script)
        found |= {f"{name}: {one.work}, {one.measure}": one for one in goals}
        if not goals:
            broken.append(f"{name} ended with status {status} and no result")
    for key, one in found.items():
        known = before.get(key)
        if known is None:
            continue
        if known.met and not one.met:
            broken.append(f"{key}: {one.value:.4g}, limit {one.limit:g}; was met")
        elif worse(one, known) > WORSE:
            broken.append(f"{key}: {one.value:.4g}, {worse(one, known):.2f} x worse than recorded")
    if options.record:
        kept = {**before, **found}
        plain = {key: vars(one) for key, one in kept.items()}
        text = json.dumps(plain, indent=1, ensure_ascii=False)
        RECORDED.write_text(text + "\n", encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n{table(kept)}\n{END}{tail}", encoding="utf-8")
    print("\n" + ("\n".join(broken) if broken else "nothing is worse than recorded"))
    return int(bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())
