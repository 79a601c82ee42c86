"""What the README shows is what the tool does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.systems import own_paths

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = re.search(r"<!-- demo.*?```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)```\n<!-- /demo", README, re.DOTALL)


def without_figures(text: str) -> str:
    """Return `text` with what differs from run to run blotted out: times, rates, and the bar of shares."""
    text = re.sub(r"[░█▒▓▚]{5,}", "█", text.replace("\u00a0", " "))
    text = re.sub(r"\d+%", "N%", text)
    text = re.sub(r"(with )\d+( worker)s?", r"\1N\2", text)
    text = re.sub(r"[\d.,]+( s| images/s| MB/s)\b", r"N\1", text)
    return re.sub(r"[ \t]+\n", "\n", text)


@own_paths
def test_the_demo_prints_what_the_readme_shows(bulkdcm_command, tmp_path):
    assert DEMO, "the README has no demo between its markers"
    program, *arguments = shlex.split(DEMO["command"])
    assert program == "bulkdcm"
    out = arguments[-1]
    finished = bulkdcm_command(*arguments[:-1], tmp_path / out, cwd=ROOT, env_add={"COLUMNS": "80", "PYTHONUTF8": "1"})
    assert finished.returncode == 1, finished.stderr  # the image that is broken on purpose
    assert without_figures(finished.stdout.replace(str(tmp_path / out), out)) == without_figures(DEMO["output"])


def test_the_python_line_runs(dataset, monkeypatch):
    (line,) = re.findall(r"`(report = bulkdcm\.convert\(.*?\))`", README)
    monkeypatch.chdir(dataset)
    names: dict[str, object] = {}
    exec(f"import bulkdcm; {line}", names)  # the README's own line
    assert names["report"].count("converted") == 24


def test_a_sentence_command_for_resuming_runs(dataset, bulkdcm_command, tmp_path):
    manifest, out = dataset / "manifest.csv", tmp_path / "out"
    assert bulkdcm_command("convert", manifest, "--out", out).returncode == 0
    assert "24" in bulkdcm_command("convert", manifest, "--out", out, "--dry-run").stdout
    assert bulkdcm_command("rebuild", manifest, "--out", out).returncode == 0
