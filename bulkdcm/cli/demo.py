"""``bulkdcm demo``: a first run, with images that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from bulkdcm.cli.convert import convert
from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH
from bulkdcm.errors import SettingsError

_PACKED = "demo_data"
_FAILED = 1


@click.command(epilog=examples("demo", "demo --out dicom"))
@click.option("-o", "--out", type=LOCAL_PATH, default="dicom", show_default=True, help="Output folder.")
@click.pass_context
def demo(context: click.Context, *, out: Path) -> int:
    """Convert the 21 images of the demo, of which one is broken on purpose."""
    manifest = _folder() / "manifest.csv"
    say(f"$ bulkdcm convert {manifest} --out {out}")
    code: int = context.invoke(convert, **_defaults(context, manifest, out))
    if code == _FAILED:
        say("One image is broken on purpose, to show what becomes of such.")
        return 0
    return code


def _folder() -> Path:
    """Return the demo's folder: in the package, or in the clone that it is run from."""
    package = Path(str(resources.files("bulkdcm")))
    for folder in (package / _PACKED, package.parent / "manifests" / "demo"):
        if (folder / "manifest.csv").is_file():
            return folder
    msg = "the demo's images aren't here. Install bulkdcm again, or run it from a clone."
    raise SettingsError(msg)


def _defaults(context: click.Context, manifest: Path, out: Path) -> dict[str, object]:
    """Return the arguments of a plain run."""
    made = convert.make_context("convert", [str(manifest), "--out", str(out)], parent=context)
    return dict(made.params)
