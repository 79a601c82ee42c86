"""What the checked manifest means: each row's SOP class, output path and full attributes, made only where they are needed."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.manifest import frames
from bulkdcm.manifest.table import Column, Manifest
from bulkdcm.model import FrameRow, ManifestRow
from bulkdcm.settings import is_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bulkdcm.model import IOD
    from bulkdcm.settings import Settings

OTHER, DICOM = "OT", "DICOM"
DICOM_ENDINGS = (".dcm", ".dicom")


def resolve(manifest: Manifest, settings: Settings, iods: Mapping[str, IOD], default: str) -> Manifest:
    """Return the manifest with what follows from it filled in: source paths normal, SOP class UIDs, Modality, outputs.

    Parameters
    ----------
    manifest
        As read.
    settings
        Its layout says whether outputs mirror sources.
    iods
        Name, alias or UID to SOP class.
    default
        Name of the SOP class of rows that name none.

    Notes
    -----
    A class that isn't known stays as written, for the preflight to find.
    """
    columns = dict(manifest.columns)
    columns["source"] = columns["source"].mapped(_normal)
    columns["sha256"] = manifest.column("sha256").mapped(str.lower)
    named = _of_dicom_files(manifest.column("sop_class"), columns["source"])
    columns["sop_class"] = named.mapped(
        lambda name: iods[name or default].sop_class_uid if (name or default) in iods else name
    )
    columns["Modality"] = _modality(manifest.column("Modality"), columns["sop_class"], iods)
    columns["output"] = _outputs(manifest.column("output"), columns["source"], settings)
    resolved = Manifest(manifest.path, columns, manifest.lines)
    found = frames.find(resolved, iods)
    for first, *others in found.values():  # they share the output of the first
        columns["output"].codes[others] = columns["output"].codes[first]
    return Manifest(manifest.path, columns, manifest.lines, found)


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path and not is_url(path) else path


def mirrored(source: str) -> str:
    """Return the output of a source in the layout ``mirror``."""
    return posixpath.splitext(source)[0] + ".dcm"


def _of_dicom_files(classes: Column, sources: Column) -> Column:
    """Return the classes, with DICOM where a row names none and its source is called a DICOM file."""
    if "" not in classes.values:
        return classes
    called = sources.where(lambda path: path.lower().endswith(DICOM_ENDINGS))
    codes = classes.codes.copy()
    codes[called & (codes == classes.values.index(""))] = len(classes.values)
    return Column(codes, [*classes.values, DICOM])


def _modality(modality: Column, classes: Column, iods: Mapping[str, IOD]) -> Column:
    if "" not in modality.values:
        return modality
    usual = [_usual_modality(iods[uid]) if uid in iods else OTHER for uid in classes.values]
    values = list(dict.fromkeys([*modality.values, *usual]))
    place = {value: index for index, value in enumerate(values)}
    codes = modality.codes.copy()
    empty = modality.codes == modality.values.index("")
    codes[empty] = np.array([place[default] for default in usual], dtype=np.int32)[classes.codes[empty]]
    return Column(codes, values)


def _usual_modality(iod: IOD) -> str:
    if iod.restamp:
        return ""  # the file's own
    return iod.modalities[0] if iod.modalities else OTHER


def _outputs(outputs: Column, sources: Column, settings: Settings) -> Column:
    outputs = outputs.mapped(_normal)
    if settings.layout != "mirror" or "" not in outputs.values:
        return outputs
    mirrored_sources = sources.mapped(lambda path: mirrored(path) if path else path)
    if outputs.values == [""]:
        return mirrored_sources
    empty = outputs.codes == outputs.values.index("")
    codes = outputs.codes.copy()
    codes[empty] = mirrored_sources.codes[empty] + len(outputs.values)
    return Column(codes, [*outputs.values, *mirrored_sources.values]).mapped(str)


def rows(manifest: Manifest, ordinals: Iterable[int]) -> Iterator[ManifestRow]:
    """Yield the rows at `ordinals` of a resolved manifest."""
    attributes = [(name, column) for name, column in manifest.columns.items() if name not in dictionary.RESERVED]
    named = {name: manifest.column(name) for name in dictionary.RESERVED}
    for ordinal in ordinals:
        yield ManifestRow(
            ordinal=ordinal,
            line=int(manifest.lines[ordinal]),
            source=named["source"][ordinal],
            output=named["output"][ordinal],
            sop_class_uid=named["sop_class"][ordinal],
            sha256=named["sha256"][ordinal],
            frames=tuple(
                FrameRow(ordinal=other, source=named["source"][other], sha256=named["sha256"][other])
                for other in manifest.frames.get(ordinal, ())
            ),
            attributes={name: cell for name, column in attributes if (cell := column[ordinal])},
            study=named["study"][ordinal],
            series=named["series"][ordinal],
            instance=named["instance"][ordinal],
        )
