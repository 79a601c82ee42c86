"""Pictures of rows for people to look at: an output as a viewer shows it, or the source of a row that has none.

A layer of its own above the decoders: a report, which lies below them, is handed the function that makes pictures. Decoders are
imported when the first picture is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.report.look import Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.report.look import Patient, Picture, Wanted
    from bulkdcm.stores import Store


def look(outputs: Store, sources: Store | None, *, identifiers: bool = False) -> Look:
    """Return how a report's page is made, with pictures.

    Parameters
    ----------
    outputs
        Where the outputs are.
    sources
        Where the sources are; None if it isn't known.
    identifiers
        As in `Look`.
    """

    def pictures(wanted: Sequence[Wanted]) -> Sequence[Picture]:
        from bulkdcm.pictures.album import Album  # noqa: PLC0415  # as said above

        return Album(outputs, sources).pictures(wanted)

    def patient_of(output: str) -> Patient:
        from bulkdcm.pictures.album import Album  # noqa: PLC0415  # as said above

        return Album(outputs, sources).patient_of(output)

    return Look(identifiers=identifiers, pictures=pictures, patient_of=patient_of)
