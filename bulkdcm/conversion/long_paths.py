"""Paths of outputs that a system is too short for, said before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.model import Problem
from bulkdcm.stores.putting import TEMPORARY_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.manifest import Manifest

_BY_UIDS = f"{'9' * 64}/{'9' * 64}/{'9' * 64}.dcm"  # the longest name that the layout makes (PS3.5 9.1)
_UNNAMED = len(f".{2**32}-{2**32}-{'f' * 8}{TEMPORARY_SUFFIX}")  # whichever process and thread writes it


def too_long(manifest: Manifest, out: str, most: int) -> Iterator[Problem]:
    """Yield the problem of outputs whose path, or that of the file which becomes them, has too many characters.

    Parameters
    ----------
    manifest
        Resolved.
    out
        The output folder, from the root.
    most
        Characters of a path; 0 for any.
    """
    if not most:
        return
    outputs = manifest.column("output")
    lengths = []
    for value in outputs.values:
        folder, _, name = (value or _BY_UIDS).rpartition("/")
        lengths.append(len(f"{out}/{folder}/") - (not folder) + max(len(name), _UNNAMED))
    codes = [code for code, length in enumerate(lengths) if length > most]
    if codes:
        worst = max(codes, key=lengths.__getitem__)
        yield Problem(
            lines=manifest.lines_of(outputs.ordinals(codes)),
            column="output",
            value=outputs.values[worst],
            rule=f"while it is written, its path has up to {lengths[worst]} characters; Windows takes {most}",
            remedy="Name an --out with a shorter path, or turn long paths on (the policy `Enable Win32 long paths`)",
        )
