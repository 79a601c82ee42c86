"""What every suite shares: the real command."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests import command

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background so, and every process that a test starts would be deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def unicode_names():
    """Skip the test where this locale can't name its files."""
    if sys.getfilesystemencoding() != "utf-8":
        pytest.skip("in this locale Python can give files ASCII names only")


@pytest.fixture
def bulkdcm_command():
    """Return a function that runs the real command and gives the finished process."""

    def run(*arguments, env_add=None, **options):
        if env_add:
            options["env"] = {**os.environ, **env_add}
        return command.run(*arguments, **options)

    return run
