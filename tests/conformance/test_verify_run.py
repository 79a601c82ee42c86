"""`bulkdcm verify` finds nothing in runs that are right: every class, pixel kind, transfer syntax, option and odd image we have."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.images import jpeg_transcode
from bulkdcm.iods.registry import BY_NAME
from tests.conformance import cases
from tests.conformance.cases import write_manifest
from tests.streams import ICC, OTHERS, exif, noise, saved, smooth
from tests.streams_jpeg import JPEGS, YCC, inserted, segment
from tests.streams_png import PNGS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.streams import Case

QUIET = {"backend": "sequential", "fsync": False}
SYNTAXES = ("auto", "explicit", "implicit", "deflated", "rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "htj2k-lossless", "jpeg-baseline:90")  # fmt: skip
COMMON = {"PatientID": "1", "PatientName": "A^B", "StudyID": "1", "SeriesNumber": "1", "BodyPartExamined": "CHEST"}


def clean(out: Path, **options) -> bulkdcm.Verification:
    """Verify a run by what its ledger knows, and return what was found: nothing."""
    found = bulkdcm.verify(out, **{"backend": "sequential", **options})
    assert not found.findings, "\n".join(f"{finding.kind}: {finding}" for finding in found.findings)
    assert found.proved == found.files > 0
    return found


def converted(folder: Path, images: Iterable[tuple[str, bytes, str]], **options) -> dict[str, str]:
    """Convert (name, bytes, class) to folder/out; return the message of each image that is refused."""
    rows = []
    for number, (name, data, alias) in enumerate(images, start=1):
        (folder / name).write_bytes(data)
        rows.append({**COMMON, "source": name, "sop_class": alias, "InstanceNumber": number, "output": f"{name}.dcm"})
    write_manifest(folder / "m.csv", rows)
    table = bulkdcm.convert(folder / "m.csv", folder / "out", **{**QUIET, **options}).table
    return dict(zip(table["source"], table["message"].fillna(""), strict=True))


@pytest.mark.parametrize("alias", cases.ALIASES)
def test_every_class_pixel_kind_and_transfer_syntax(alias, tmp_path):
    for number, syntax in enumerate(SYNTAXES):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = cases.convert(folder, BY_NAME[alias], syntax)
        if made:
            found = clean(folder / syntax.replace(":", "-"))
            assert found.files == len({path for case in made for path in case.paths})
            assert not any("of the library that compressed them" in by for by in found.by) or syntax == "j2k-lossless"


def corpus(options: dict[str, object]) -> list[Case]:
    # A lossy WebP compressed again would have two ratios and one method, for which DICOM has no term.
    left_out = {"WebP lossy"} if options == OPTIONS["baseline"] else set()
    every = (case for case in (*PNGS, *JPEGS, *OTHERS) if case.name not in left_out)
    return [case for case in every if not case.options or case.options == options]


OPTIONS = {
    "as asked": {},
    "laid on grey": {"background": "#406080"},
    "inverted": {"invert": True},
    "kept colour": {"keep_color": True},
    "gray within 40": {"gray_tolerance": 40},
    "CMYK": {"convert_cmyk": True},
    "a window of shares": {"window": "percentile:2"},
    "no window": {"window": "none"},
    "RLE": {"transfer_syntax": "rle"},
    "JPEG-LS": {"transfer_syntax": "jpeg-ls"},
    "baseline": {"transfer_syntax": "jpeg-baseline:80"},
    "several": {"transfer_syntax": "implicit", "invert": True, "gray_tolerance": 9, "background": "white"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_odd_image_of_the_corpus(options, tmp_path):
    images = ((f"{n}.bin", case.data, case.iod) for n, case in enumerate(corpus(options)))
    refused = converted(tmp_path, images, **options)
    found = clean(tmp_path / "out")
    assert found.files == sum(not message for message in refused.values()) > 150


@pytest.mark.parametrize("alias", ["SC", "CR"])
def test_transcoded_streams_have_their_sources_coefficients(alias, tmp_path):
    if jpeg_transcode._library() is None:
        pytest.skip("libturbojpeg is not installed (Debian: libturbojpeg0)")
    gray, color = smooth(48, 64), np.dstack([smooth(48, 64)] * 3) if alias == "CR" else smooth(48, 64, 3)
    sources = {
        f"{name}_{sampling}_{turn}.jpg": inserted(
            saved(pixels, "JPEG", quality=88, progressive=True, subsampling=sampling), segment(0xE1, b"Exif\0\0" + exif(turn))
        )
        for name, pixels in (("gray", gray), ("color", color))
        for sampling in ("4:4:4", "4:2:0", "4:2:2")
        for turn in (1, 2, 3, 4, 5, 6, 7, 8)
    }  # fmt: skip
    refused = converted(tmp_path, [(name, data, alias) for name, data in sources.items()], jpeg="transcode")
    assert not any(refused.values())
    found = clean(tmp_path / "out")
    assert found.by["equal coefficients (jpeglib)"] > 30
    decisions = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", jpeg="transcode", **QUIET).table["decisions"]
    assert found.by["equal coefficients (jpeglib)"] == decisions.str.contains("same coefficients").sum()


def test_the_demo(tmp_path, request):
    manifest = request.config.rootpath / "manifests/demo/manifest.csv"
    bulkdcm.convert(manifest, tmp_path / "out", **QUIET)
    found = clean(tmp_path / "out")
    assert "1 row of the manifest without an output: see the report" in found.notes


def test_restamped_files_a_template_defaults_and_a_key(tmp_path):
    converted(tmp_path, [("a.png", saved(noise(9, 11).astype(np.uint8), "PNG"), "SC"), ("b.jpg", YCC, "SC")])
    (tmp_path / "key").write_bytes(b"a secret of sixteen bytes")
    again = tmp_path / "out"
    write_manifest(
        again / "again.csv",
        [{"source": f"{name}.dcm", "PatientID": "7", "StudyDate": "20240101"} for name in ("a.png", "b.jpg")],
    )
    options = {
        "uid_key_file": tmp_path / "key",
        "defaults": {"AccessionNumber": "B", "StudyDescription": "x"},
        "layout": "uid",
    }
    bulkdcm.convert(again / "again.csv", tmp_path / "new", **options, **QUIET)
    assert clean(tmp_path / "new").by["equal bytes of pixels (re-stamped)"] == 2
    write_manifest(tmp_path / "t.csv", [{"source": "a.png", "PatientID": "8"}])
    bulkdcm.convert(tmp_path / "t.csv", tmp_path / "templated", template=again / "b.jpg.dcm", **QUIET)
    clean(tmp_path / "templated")
    # Given on the call, options stand for those that the ledger knows.
    for left_out in ("defaults", "uid_key_file"):
        others = {name: value for name, value in options.items() if name != left_out}
        wrong = bulkdcm.verify(tmp_path / "new", again / "again.csv", backend="sequential", **others)
        assert wrong.counts == {"manifest": 2}
    assert {finding.where for finding in wrong.findings} == {"UID key"}


def test_files_of_several_frames_and_frames_of_several_files(tmp_path):
    frames = [Image.fromarray(noise(8, 9, seed=seed).astype(np.uint8)) for seed in range(3)]
    (tmp_path / "three.tif").write_bytes(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    (tmp_path / "three.gif").write_bytes(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    rows = [{"source": f"three.{end}", "sop_class": "SC-BYTE", "output": f"{end}.dcm"} for end in ("tif", "gif")]
    for number in range(3):
        (tmp_path / f"gray{number}.png").write_bytes(saved(frames[number], "PNG"))
        color = np.dstack([np.asarray(frames[number])] * 3)
        looks_gray = saved(color, "PNG") if number else saved(color, "JPEG", quality=95)
        (tmp_path / f"mixed{number}.bin").write_bytes(looks_gray)
        for name, alias in (("gray{}.png", "SC-BYTE"), ("mixed{}.bin", "SC-COLOR")):
            rows.append({"source": name.format(number), "instance": alias, "frame": number + 1, "sop_class": alias})
    common = {**COMMON, "BurnedInAnnotation": "NO", "InstanceNumber": "1"}
    write_manifest(tmp_path / "m.csv", [{**common, **row} for row in rows])
    table = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", **QUIET).table
    assert set(table["status"]) == {"converted"}, table["message"].tolist()
    assert clean(tmp_path / "out").files == 4


def test_a_failed_row_that_keeps_an_earlier_output(tmp_path):
    good = saved(noise(9, 11).astype(np.uint8), "PNG")
    converted(tmp_path, [("a.png", good, "SC"), ("b.png", good, "SC")])
    messages = converted(tmp_path, [("a.png", good[:-20], "SC"), ("b.png", good, "SC")])
    assert messages["a.png"]
    found = bulkdcm.verify(tmp_path / "out", backend="sequential")
    assert (found.files, found.proved, found.findings) == (2, 1, ())


def test_rows_that_are_gone_moved_or_new_since(tmp_path):
    images = [(f"{n}.png", saved(noise(9, 11, seed=n).astype(np.uint8), "PNG"), "SC") for n in range(4)]
    converted(tmp_path, images)
    lines = (tmp_path / "m.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "new.png").write_bytes(images[0][1])
    new = lines[1].replace("0.png", "new.png")
    (tmp_path / "m.csv").write_text("\n".join([lines[0], new, lines[3], lines[1], lines[4]]) + "\n", encoding="utf-8")
    found = bulkdcm.verify(tmp_path / "out", backend="sequential")
    assert (found.files, found.proved, found.findings) == (4, 3, ())
    assert any(note.startswith("1 row of the manifest without an output") for note in found.notes)
    assert any(note.startswith("1 output") for note in found.notes)


def test_profiles_and_dciodvfy(tmp_path):
    color = saved(noise(9, 11, 3).astype(np.uint8), "PNG", icc_profile=ICC)
    converted(tmp_path, [("a.png", color, "SC")])
    if shutil.which("dciodvfy") is None:
        with pytest.raises(bulkdcm.SettingsError, match="install Debian's dicom3tools"):
            bulkdcm.verify(tmp_path / "out", dciodvfy=True)
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")
    clean(tmp_path / "out", dciodvfy=True)


def test_sources_in_archives(tmp_path):
    names = [f"{n}.png" for n in range(3)]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed, tarfile.open(tmp_path / "b.tar.gz", "w:gz") as streamed:
        for number, name in enumerate(names):
            data = saved(noise(9, 11, seed=number).astype(np.uint8), "PNG")
            packed.writestr(name, data)
            member = tarfile.TarInfo(f"t/{name}")
            member.size = len(data)
            streamed.addfile(member, io.BytesIO(data))
    rows = [{**COMMON, "source": f"{archive}{name}"} for archive in ("a.zip!", "b.tar.gz!t/") for name in names]
    write_manifest(tmp_path / "m.csv", [{**row, "InstanceNumber": n} for n, row in enumerate(rows, start=1)])
    table = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", **QUIET).table
    assert set(table["status"]) == {"converted"}, table["message"].tolist()
    assert clean(tmp_path / "out").files == 6
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("0.png", saved(noise(9, 11, seed=8).astype(np.uint8), "PNG"))
    assert set(bulkdcm.verify(tmp_path / "out", backend="sequential").counts) == {"source"}
