"""Any file as a manifest: it parses, or gives located problems; nothing else."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

import bulkdcm
from bulkdcm import manifest
from bulkdcm.attributes import dictionary, values
from bulkdcm.errors import AttributeValueError, ManifestError
from bulkdcm.objects import offer
from bulkdcm.settings import Settings

QUICK = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = ["source", "PatientID", "StudyDate", "PixelSpacing", "sop_class", "frame", "instance", "SOPInstanceUID", "AnatomicRegionSequence", "output", "Nonsense", ""]  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(
        ["", "a.png", "../x", "CT", "SC-BYTE", "1", "20230102", "1\\2", "1^SCT^x", "1.2.3", "NA", "x" * 70]
    ),
    st.text(max_size=8),
)


def looked_at(path) -> None:
    try:
        problems = bulkdcm.check(path)
    except ManifestError as error:
        assert str(error).startswith(str(path))  # noqa: PT017  # either this or problems
        return
    for problem in problems:
        assert problem.rule
        assert problem.remedy
        assert problem.lines or not problem.column or len(problem.rule) > 10
    if not any(problem.severity == "error" for problem in problems):
        built(path)


def built(path) -> None:
    """Make the rows of a manifest without errors, and every element of theirs."""
    table = manifest.resolve(manifest.read(path, Settings()), Settings(), offer())
    for row in manifest.part(table, range(len(table))).rows():
        for keyword, cell in row.attributes.items():
            values.element(keyword, cell)


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_parse_or_give_problems(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("m") / "m.csv"
    path.write_bytes(data)
    looked_at(path)


@QUICK
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6), st.data())
def test_any_cells_parse_or_give_problems(tmp_path_factory, names, draw):
    rows = draw.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=5))
    path = tmp_path_factory.mktemp("m") / "m.csv"
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [names, *rows]]
    path.write_text("\n".join(quoted) + "\n", encoding="utf-8", errors="surrogatepass")
    looked_at(path)


@QUICK
@given(
    st.sampled_from(
        [
            "PatientID",
            "PatientName",
            "StudyDate",
            "StudyTime",
            "PixelSpacing",
            "PatientAge",
            "SOPInstanceUID",
            "AcquisitionDateTime",
            "ImageComments",
            "PatientSex",
        ]
    ),
    st.text(max_size=20),
)
def test_a_cell_is_refused_or_becomes_an_element(keyword, cell):
    rule = values.broken_rule(keyword, cell) if cell else ""
    try:
        element = values.element(keyword, cell)
    except AttributeValueError:
        assert rule
    else:
        assert not rule
        assert dictionary.find(keyword).vr == element.VR
