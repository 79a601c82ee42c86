"""Shells complete commands and options with what `bulkdcm completion` prints."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests import command
from tests.systems import own_paths


def run(*arguments: str, **environment: str):
    return command.run(*arguments, env={**os.environ, **environment})


@own_paths
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell):
    shown = run("completion", shell)
    assert shown.returncode == 0
    assert "_BULKDCM_COMPLETE" in shown.stdout
    if place := shutil.which(shell):
        subprocess.run([place, "-n"], input=shown.stdout, text=True, check=True)


@pytest.mark.parametrize(("words", "found"), [("bulkdcm conv", "convert"), ("bulkdcm convert --lay", "--layout")])
def test_what_a_shell_asks_is_answered(words, found):
    count = str(len(words.split()) - 1)
    shown = run(_BULKDCM_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert found in shown.stdout
    assert "Traceback" not in shown.stderr


def test_another_shell_is_refused():
    assert run("completion", "tcsh").returncode == 2
