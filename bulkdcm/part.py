"""Some rows of a manifest as they travel to workers: each value once, and a code a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.model import IMAGE, Fingerprint, FrameRow, ManifestRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.model import Reference, Replaceable


class Cells(NamedTuple):
    """One column of the lines of a part."""

    codes: list[int]
    values: list[str]

    def texts(self) -> list[str]:
        """Return the cell of each line."""
        values = self.values
        return [values[code] for code in self.codes]


class Extra(NamedTuple):
    """What a run adds to a row; as in `ManifestRow`."""

    replaces: Replaceable | None = None
    staged: bool = False
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some rows of a manifest. Iterating over it gives their ordinals.

    Attributes
    ----------
    count
        How many rows it has; its lines are first those of the rows, then those that are only frames of them.
    ordinals, lines
        Of each line: its place in the manifest, and its line in the file.
    named
        The columns that aren't attributes, by name.
    attributes
        The others.
    kinds
        What the column ``sop_class`` may hold that is no SOP class.
    unpacked
        Where sources would lie if their archives were unpacked; None if none is in one.
    frames
        Places of the lines that make one object together, by the place of the first.
    fingerprints
        As columns; empty where nobody asks for them.
    extras
        What the run adds to rows, by their ordinals.
    """

    count: int
    ordinals: list[int]
    lines: list[int]
    named: dict[str, Cells]
    attributes: dict[str, Cells]
    kinds: frozenset[str]
    unpacked: Cells | None = None
    frames: dict[int, tuple[int, ...]] = field(default_factory=dict)
    fingerprints: tuple[list[int], list[int], list[int], list[str], list[int]] | tuple[()] = ()
    extras: dict[int, Extra] = field(default_factory=dict)

    def __iter__(self) -> Iterator[int]:
        return iter(self.ordinals[: self.count])

    def __len__(self) -> int:
        return self.count

    def rows(self) -> list[ManifestRow]:
        """Return the rows."""
        known: list[Fingerprint | None] = [Fingerprint(*each) for each in zip(*self.fingerprints, strict=True)] or [
            None
        ] * len(self.ordinals)
        source, output, sop_class, study, series, instance, sha256 = (
            self.named[name].texts()
            for name in ("source", "output", "sop_class", "study", "series", "instance", "sha256")
        )
        unpacked = self.unpacked.texts() if self.unpacked else source
        names = list(self.attributes)
        cells = list(zip(*(column.texts() for column in self.attributes.values()), strict=True)) or [()] * len(source)
        found = []
        for place in range(self.count):
            asked, ordinal = sop_class[place], self.ordinals[place]
            is_class = asked not in self.kinds
            extra = self.extras.get(ordinal, _NOTHING)
            found.append(
                ManifestRow(
                    ordinal=ordinal,
                    line=self.lines[place],
                    source=source[place],
                    unpacked=unpacked[place],
                    output=output[place],
                    kind=IMAGE if is_class else asked,
                    sop_class_uid=asked if is_class else "",
                    study=study[place],
                    series=series[place],
                    instance=instance[place],
                    sha256=sha256[place],
                    attributes={name: cell for name, cell in zip(names, cells[place], strict=True) if cell},
                    frames=tuple(
                        FrameRow(
                            ordinal=self.ordinals[other],
                            source=source[other],
                            sha256=sha256[other],
                            fingerprint=known[other],
                        )
                        for other in self.frames.get(place, ())
                    ),
                    fingerprint=known[place],
                    replaces=extra.replaces,
                    staged=extra.staged,
                    references=extra.references,
                )
            )
        return found


_NOTHING = Extra()
