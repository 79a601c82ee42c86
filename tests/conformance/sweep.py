"""Every SOP class, every attribute of its modules, one or two legal values: `python -m tests.conformance.sweep`.

Each is alone in a complete row. What is accepted must give no error in dciodvfy, plain and ``-new``. What the preflight
refuses is written all the same, past it, and must then give an error; or its reason cites the section that forbids it, of
which dciodvfy says nothing (`SILENT`). Where dciodvfy and the Standard's text of 2025 disagree the text wins: `GAPS`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

import imagecodecs

import bulkdcm
from bulkdcm import iods
from bulkdcm.attributes import values
from bulkdcm.encode import encode
from bulkdcm.errors import RowError
from bulkdcm.images import read
from bulkdcm.model import InstanceUIDs, ManifestRow
from bulkdcm.settings import Settings
from bulkdcm.stores import Local
from tests.conformance import cases, readers, remedies, trials

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conformance.trials import Trial

KINDS = ("gray8", "gray16", "rgb8")


class Gap(NamedTuple):
    """What dciodvfy (of 2022) says of a file, and why the text of 2025 says otherwise."""

    said: str
    """A pattern of its error."""
    why: str
    alias: str = ""
    keyword: str = ""


# Attributes that PS3.6 has got since the dicom3tools of Debian 12.
NEWER = (
    "ClinicalTrialTimePointTypeCodeSequence",
    "DateOfInstallation",
    "DateOfManufacture",
    "DetectorPositioningType",
    "EthnicGroupCodeSequence",
    "IssuerOfClinicalTrialProtocolID",
    "IssuerOfClinicalTrialSeriesID",
    "IssuerOfClinicalTrialSiteID",
    "IssuerOfClinicalTrialSubjectID",
    "IssuerOfClinicalTrialSubjectReadingID",
    "IssuerOfClinicalTrialTimePointID",
    "ScanArcType",
    "SyntheticData",
)
GAPS: tuple[Gap, ...] = (
    *(
        Gap(
            "Attribute with an even group number is not a recognized standard attribute",
            "newer than dicom3tools",
            keyword=name,
        )
        for name in NEWER
    ),
    Gap("Missing attribute.*Module=<FrameOfReference>", "A.32.11.3 has no Frame of Reference any more", alias="DERM"),
)

# Refusals that dciodvfy has no eye for: a pattern of the message, and what the text of 2025 says.
SILENT: dict[str, str] = {
    r"C\.7\.4\.2\)": "Synchronization is a module of SC (A.8.1) and CT (A.3), and its first three attributes are Type 1",
    r"C\.7\.6\.2\)": "Image Plane is a module of SC (A.8.1), and its first three attributes are Type 1",
    r"PositionReferenceIndicator needs FrameOfReferenceUID": "Frame of Reference is a module of SC (A.8), and the UID is Type 1",
    r"C\.7\.6\.30\)": "both attributes of Enhanced Patient Orientation are Type 1",
    r"C\.8\.7\.3\)": "CollimatorShape is Type 1 of X-Ray Collimator, and each edge is 1C by its value",
    r"C\.8\.7\.7\)": "TomoLayerHeight is Type 1 of X-Ray Tomography Acquisition",
    r"C\.7\.6\.11\)": "ShutterShape is Type 1 of Display Shutter",
    r"C\.7\.6\.17\)": "DimensionOrganizationSequence is Type 1 of Multi-frame Dimension",
    r"C\.8\.12\.5\)": "OpticalPathSequence is Type 1 of Optical Path",
    r"FrameTimeVector needs": "1C: there if Frame Increment Pointer points to it",
    r"C\.7\.6\.1\.1\.5\)": "a ratio and a method tell of a lossy compression, which 00 denies; 01 without a ratio tells half",
    r"(VOILUTFunction|WindowCenterWidthExplanation) needs WindowCenter": "both are of the VOI LUT module, which then lacks its window",
    r"LongitudinalTemporal.* needs": "the event is 1C, there if the offset is",
    r"C\.7\.6\.3\.1\.2\)": "Photometric Interpretation follows from the image; a row only says whether low values are light",
    r"have different numbers of values": "values of one place belong together (C.11.2.1.2, C.7.6.1.1.5.2)",
    r"contradicts \w+, whose Modality is": "CT and MR are the Modality of their IODs (C.8.2.1, C.8.3.1), US and CR are named by theirs",
}


@dataclass(frozen=True)
class Result:
    """What became of a trial."""

    trial: Trial
    message: str
    """Of the preflight or the row's failure; empty where the file was written."""
    errors: tuple[str, ...]
    """Of dciodvfy, plain and new, without the known gaps; of a refused row those of the file written past the preflight."""

    @property
    def verdict(self) -> str:
        """One of ``accepted``, ``refused, proven``, ``refused, by the text``, ``FAULT`` and ``UNPROVEN``."""
        if not self.message:
            return "FAULT" if self.errors else "accepted"
        if self.errors:
            return "refused, proven"
        return "refused, by the text" if any(re.search(known, self.message) for known in SILENT) else "UNPROVEN"


def kinds_of(iod: iods.registry.IOD) -> list[str]:
    """Return the pixels to try: gray where the class takes it, and colour."""
    gray = [kind for kind in ("gray8", "gray16") if kind in iod.pixel_kinds][:1]
    return [*gray, *(["rgb8"] if "rgb8" in iod.pixel_kinds else [])]


def converted(folder: Path, alias: str, tried: Sequence[Trial]) -> dict[int, str]:
    """Convert the trials of a class in one run; return the messages of those refused, by number."""
    for kind in KINDS:
        (folder / f"{kind}.png").write_bytes(imagecodecs.png_encode(cases.pixels_of(kind, 1, 8)))
    rows = [trial.row for trial in tried]
    manifest = folder / f"{alias}.csv"
    cases.write_manifest(manifest, rows)
    report = bulkdcm.convert(
        manifest, folder / alias, images=folder, backend="sequential", fsync=False, skip_invalid=True
    )
    failed = report.table[report.table["status"] != "converted"]
    number = {line: trial.number for line, trial in enumerate(tried, start=2)}
    return {number[line]: message for line, message in zip(failed["line"], failed["message"], strict=True)}


def written_past_preflight(folder: Path, trial: Trial) -> Path | None:
    """Write the file of a trial that the preflight refused; None where there is no writing it."""
    row, iod = trial.row, iods.BY_NAME[trial.alias]
    named = {name for name in row if name[0].islower()}
    of_row = ManifestRow(
        ordinal=0, line=2, source=row["source"], output="", sop_class_uid=iod.sop_class_uid,
        attributes={"Modality": (iod.modalities or ("OT",))[0], **{k: v for k, v in row.items() if k not in named and v}},
    )  # fmt: skip
    frame = read([Local(root=str(folder)).read(row["source"])], Settings(), iod)
    uids = InstanceUIDs(
        study_instance_uid="1.2.9.1",
        series_instance_uid="1.2.9.2",
        sop_instance_uid="1.2.9.3",
        frame_of_reference_uid="1.2.9.4",
    )
    path = folder / trial.alias / f"{trial.number}.dcm"
    with mock.patch.object(values, "broken_rule", return_value=""):
        values._plain_element.cache_clear()
        try:
            pieces, _ = encode(iods.build(of_row, frame, uids), frame, "explicit")
        except (RowError, ValueError, OverflowError):
            return None
        finally:
            values._plain_element.cache_clear()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(pieces))
    return path


def errors_of(path: Path, trial: Trial) -> tuple[str, ...]:
    """Return the errors that dciodvfy finds, without those that the text of the Standard says are none."""
    found = dict.fromkeys([*readers.dciodvfy(path), *readers.dciodvfy_new(path)])
    return tuple(text for text in found if text.startswith("Error") and not gap(text, trial))


def gap(text: str, trial: Trial) -> Gap | None:
    """Return the known gap that an error is."""
    return next(
        (
            known
            for known in GAPS
            if re.search(known.said, text) and known.alias in {"", trial.alias} and known.keyword in {"", trial.keyword}
        ),
        None,
    )


def sweep(folder: Path, tried: Iterable[Trial]) -> list[Result]:
    """Convert and examine trials of any classes."""
    by_class: dict[str, list[Trial]] = {}
    for trial in tried:
        by_class.setdefault(trial.alias, []).append(trial)
    found: list[Result] = []
    with ThreadPoolExecutor(2) as pool:
        for alias, of_class in by_class.items():
            messages = converted(folder, alias, of_class)
            paths = [
                written_past_preflight(folder, trial)
                if trial.number in messages
                else folder / alias / f"{trial.number}.dcm"
                for trial in of_class
            ]
            examined = pool.map(lambda path, trial: errors_of(path, trial) if path else (), paths, of_class)
            found += [
                Result(trial, messages.get(trial.number, ""), errors)
                for trial, errors in zip(of_class, examined, strict=True)
            ]
    return found


def every_trial() -> list[Trial]:
    """Return all trials of all classes."""
    return [trial for iod in iods.IODS for trial in trials.of_class(iod.alias, kinds_of(iod))]


def remedied_trials() -> list[remedies.Remedied]:
    """Return the trials that lack something, with it."""
    return [found for trial in every_trial() if (found := remedies.remedied(trial))]


VERDICTS = ("accepted", "refused, proven", "refused, by the text", "FAULT", "UNPROVEN")
WRONG = VERDICTS[3:]


def table(results: Sequence[Result]) -> list[str]:
    """Return the counts, a line a class."""
    heads = ("class", "attributes", "not expressible", "trials", *VERDICTS)
    lines = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for alias in dict.fromkeys(result.trial.alias for result in results):
        own = [result for result in results if result.trial.alias == alias]
        counts, of_class = Counter(result.verdict for result in own), trials.attributes()[alias]
        outside = sum(not trials.expressible(keyword) for keyword in of_class)
        cells = (alias, len(of_class), outside, len(own), *(counts[verdict] for verdict in VERDICTS))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    total = Counter(result.verdict for result in results)
    return [
        *lines,
        "",
        f"{len(results)} trials: " + ", ".join(f"{total[verdict]} {verdict}" for verdict in VERDICTS),
        "",
    ]


def main() -> None:
    """Print what was accepted and refused, a line a class, and then everything that is not as it should be."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--class", dest="aliases", action="append", choices=cases.ALIASES, help="only this one; repeatable"
    )
    parser.add_argument("--remedied", action="store_true", help="what is refused, with what the remedies say added")
    asked = parser.parse_args()
    tried = remedied_trials() if asked.remedied else every_trial()
    with tempfile.TemporaryDirectory() as folder:
        results = sweep(Path(folder), [trial for trial in tried if not asked.aliases or trial.alias in asked.aliases])
    print("\n".join(table(results)))
    for result in results:
        if result.verdict in WRONG:
            print(f"{result.verdict}: {result.trial}: {result.message} {' | '.join(result.errors)}")
    if not asked.remedied:
        print("dciodvfy and the Standard's text of 2025 disagree on:\n")
        for known in GAPS:
            print(f"- {known.keyword}: {known.why}")
        print("\nRefused by the text, of which dciodvfy says nothing:\n")
        for words, why in SILENT.items():
            print(f"- `{words}`: {why}")


if __name__ == "__main__":
    main()
