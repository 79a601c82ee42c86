"""What the checked manifest means: each row's SOP class, output path and full attributes, taken only where they are needed."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.manifest import frames
from bulkdcm.manifest.table import Column
from bulkdcm.part import Cells, Part
from bulkdcm.settings import is_url
from bulkdcm.stores import archives

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import Offer
    from bulkdcm.setting_parts import ManifestSettings

OTHER = "OT"
# What a path holds that isn't in its normal form; the null because before it is where some systems' paths end.
_NOT_NORMAL = ("//", "/.", "\n.", "/\n", "\0")


def resolve(
    manifest: Manifest, settings: ManifestSettings, offer: Offer, files: frozenset[str] = frozenset()
) -> Manifest:
    """Return the manifest with what follows from it filled in: source paths normal, SOP class UIDs, Modality, outputs.

    Parameters
    ----------
    manifest
        As read.
    settings
        Its layout says whether outputs mirror sources.
    offer
        What rows may ask for.
    files
        Sources that read as members of archives and are files.

    Notes
    -----
    A class that isn't known stays as written, for the preflight to find.
    """
    columns = dict(manifest.columns)
    columns["source"] = columns["source"].mapped(lambda name: _normal_source(name, files), _NOT_NORMAL)
    places, unpacked = columns["source"], None
    if places.may_hold(archives.MARK) and any(archives.split(name, files) for name in places.values):
        places = unpacked = places.mapped(lambda name: archives.unpacked(name) if archives.split(name, files) else name)
    columns["sha256"] = manifest.column("sha256").mapped(str.lower)
    iods, default = offer.names, offer.default
    named = _of_other_kinds(manifest.column("sop_class"), columns["source"], offer.kinds)
    columns["sop_class"] = named.mapped(
        lambda name: iods[name or default].sop_class_uid if (name or default) in iods else name
    )
    columns["Modality"] = _modality(manifest.column("Modality"), columns["sop_class"], offer)
    columns["output"] = _outputs(manifest.column("output"), places, settings)
    kinds = frozenset(offer.kinds)
    found = frames.find(manifest.of(columns), iods)
    if found:
        columns["output"] = _shared(columns["output"], found)
    return replace(manifest, columns=columns, frames=found, kinds=kinds, unpacked=unpacked, files=files)


def _normal_source(name: str, files: frozenset[str]) -> str:
    plain = _normal(name)
    return archives.normal(name) if archives.split(name, files) and plain not in files and not is_url(name) else plain


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path and not is_url(path) else path


def _shared(outputs: Column, found: Mapping[int, tuple[int, ...]]) -> Column:
    """Return the outputs with that of the first frame for all frames of an object."""
    codes = outputs.codes.copy()
    for first, *others in found.values():
        codes[others] = codes[first]
    return Column(codes, outputs.values)


def mirrored(source: str) -> str:
    """Return the output of a source in the layout ``mirror``."""
    return posixpath.splitext(source)[0] + ".dcm"


def _of_other_kinds(classes: Column, sources: Column, kinds: Mapping[str, tuple[str, ...]]) -> Column:
    """Return the classes, with another kind where a row asks for nothing and its source's name says that it is one."""
    if "" not in classes.values:
        return classes
    codes, values = classes.codes.copy(), list(classes.values)
    asks_nothing = codes == values.index("")
    text = sources.text.lower()
    for kind, endings in kinds.items():
        if not any(f"{ending}\n" in text for ending in endings):
            continue
        codes[asks_nothing & sources.where(lambda path, endings=endings: path.lower().endswith(endings))] = len(values)  # type: ignore[misc]  # a lambda
        values.append(kind)
    return Column(codes, values)


def _modality(modality: Column, classes: Column, offer: Offer) -> Column:
    if "" not in modality.values:
        return modality
    usual = [_usual_modality(asked, offer) for asked in classes.values]
    values = list(dict.fromkeys([*modality.values, *usual]))
    place = {value: index for index, value in enumerate(values)}
    codes = modality.codes.copy()
    empty = modality.codes == modality.values.index("")
    codes[empty] = np.array([place[default] for default in usual], dtype=np.int32)[classes.codes[empty]]
    return Column(codes, values)


def _usual_modality(asked: str, offer: Offer) -> str:
    if asked in offer.kinds:
        return ""  # the source's own
    iod = offer.classes.get(asked)
    return iod.modalities[0] if iod and iod.modalities else OTHER


def _outputs(outputs: Column, sources: Column, settings: ManifestSettings) -> Column:
    outputs = outputs.mapped(_normal, _NOT_NORMAL)
    if settings.layout != "mirror" or "" not in outputs.values:
        return outputs
    mirrored_sources = sources.renamed(_all_mirrored(sources))
    if outputs.values == [""]:
        return mirrored_sources
    empty = outputs.codes == outputs.values.index("")
    codes = outputs.codes.copy()
    codes[empty] = mirrored_sources.codes[empty] + len(outputs.values)
    return Column(codes, [*outputs.values, *mirrored_sources.values]).mapped(str)


def _all_mirrored(sources: Column) -> list[str]:
    """Return the output of each source, none for an empty one: as `mirrored`, in a third of the time."""
    if sources.may_hold("\n.", "/.", "\n\n"):  # a name that begins with a point may have no ending
        return [mirrored(path) if path else path for path in sources.values]
    return [
        f"{cut[0]}.dcm" if (cut := path.rpartition("."))[1] and "/" not in cut[2] else mirrored(path)
        for path in sources.values
    ]


def part(manifest: Manifest, ordinals: Iterable[int]) -> Part:
    """Return the rows at `ordinals` of a resolved manifest, as they travel."""
    wanted = list(ordinals)
    count = len(wanted)
    frames: dict[int, tuple[int, ...]] = {}
    if manifest.frames:
        place = {ordinal: index for index, ordinal in enumerate(wanted)}
        for index in range(count):
            members = manifest.frames.get(wanted[index], ())
            for member in members:
                if place.setdefault(member, len(wanted)) == len(wanted):
                    wanted.append(member)
            if members:
                frames[index] = tuple(place[member] for member in members)
    taken = np.array(wanted, dtype=np.intp)
    return Part(
        count=count,
        ordinals=wanted,
        lines=manifest.lines[taken].tolist(),
        named={name: _cells(manifest.column(name), taken) for name in dictionary.RESERVED},
        attributes={
            name: _cells(column, taken) for name, column in manifest.columns.items() if name not in dictionary.RESERVED
        },
        kinds=manifest.kinds,
        unpacked=None if manifest.unpacked is None else _cells(manifest.unpacked, taken),
        frames=frames,
    )


def _cells(column: Column, taken: npt.NDArray[np.intp]) -> Cells:
    if len(column.values) == 1:
        return Cells([0] * len(taken), column.values)
    present, codes = np.unique(column.codes[taken], return_inverse=True)
    return Cells(codes.tolist(), [column.values[code] for code in present.tolist()])
