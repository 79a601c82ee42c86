"""The manifest's rows as the ledger keeps their names, so that a report can be made without the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.ledger.runs import Listing
from bulkdcm.manifest.table import groups, in_normal_form

if TYPE_CHECKING:
    import numpy.typing as npt

    from bulkdcm.manifest import Manifest

_PATIENT = ("PatientID", "IssuerOfPatientID")  # as UIDs are derived of them


def listing_of(rows: Manifest) -> Listing:
    """Return how the rows of a manifest are named."""
    source, output = rows.column("source"), rows.column("output")
    return Listing(
        lines=rows.lines,
        sources=(source.codes, source.values),
        outputs=(output.codes, output.values),
        patients=_patients(rows),
    )


def _patients(rows: Manifest) -> npt.NDArray[Any]:
    """Return a number for each row's patient, in the order of their coming from 1; 0 for a row without PatientID."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    columns = [in_normal_form(rows.column(name)) for name in _PATIENT]
    _, first, numbers = np.unique(groups(columns), return_index=True, return_inverse=True)
    known = columns[0].where(bool)
    told = known[first]
    order = np.argsort(np.where(told, first, len(rows)), kind="stable")
    number = np.zeros(len(first), dtype=np.int64)
    number[order] = np.arange(1, len(first) + 1)
    found: npt.NDArray[Any] = np.where(known, number[numbers], 0)
    return found
