"""The command line: each command in its own file, and one place where errors become exit codes."""

from __future__ import annotations

import io
import sys

import click

from bulkdcm._version import __version__
from bulkdcm.cli.bench import bench
from bulkdcm.cli.check import check
from bulkdcm.cli.classes import classes
from bulkdcm.cli.completion import completion
from bulkdcm.cli.convert import convert
from bulkdcm.cli.demo import demo
from bulkdcm.cli.doctor import doctor
from bulkdcm.cli.help import help_page
from bulkdcm.cli.init import init
from bulkdcm.cli.mappings import mappings
from bulkdcm.cli.output import make_safe, say
from bulkdcm.cli.problems import show
from bulkdcm.cli.rebuild import rebuild
from bulkdcm.cli.report import report
from bulkdcm.cli.show_file import show_file
from bulkdcm.cli.verify import verify_files
from bulkdcm.errors import ManifestError, RunError, SettingsError, Terminated

_INTERRUPTED, _TERMINATED = 130, 143


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bulkdcm")
def cli() -> None:
    """Convert many PNG and JPEG images to conformant DICOM from a CSV manifest."""


cli.add_command(convert)
cli.add_command(check)
cli.add_command(rebuild)
cli.add_command(report)
cli.add_command(classes)
cli.add_command(init)
cli.add_command(mappings)
cli.add_command(show_file, "show")
cli.add_command(verify_files, "verify")
cli.add_command(bench)
cli.add_command(help_page)
cli.add_command(demo)
cli.add_command(doctor)
cli.add_command(completion)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are printed to the standard error."""
    try:
        code = cli.main(arguments, prog_name="bulkdcm", standalone_mode=False, windows_expand_args=False)
        sys.stdout.flush()  # else a full disk is noticed when nobody can say so any more
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        for line in shown.getvalue().splitlines():
            say(line, err=True)
        return SettingsError.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        say("interrupted", err=True)
        asked = isinstance(error.__cause__ or error, Terminated)  # click makes its own of it
        return _TERMINATED if asked else _INTERRUPTED
    except ManifestError as error:
        show(error.problems)
        say(error.message, err=True, prefix="" if error.problems else "error: ")
        return error.exit_code
    except RunError as error:
        say(error.message, err=True, prefix="error: ")
        return error.exit_code
    return code if isinstance(code, int) else 0


def main() -> None:
    """Run the command line in a process of its own, and exit with its code."""
    make_safe()
    sys.exit(run())
