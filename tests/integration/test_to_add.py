"""CONTRIBUTING's "To add …", done to the letter on a copy of the package, and seen to work by the command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "ledger_0.1.0" / "ledger.sqlite"
HEADER = "source,sop_class,PatientID,PatientName,StudyDate,StudyID,SeriesNumber,InstanceNumber,ImageComments"


class Copy:
    """The package as someone has changed it, and a folder of images to use it on."""

    def __init__(self, folder: Path) -> None:
        self.package, self.images, self.out = folder / "lib" / "bulkdcm", folder / "images", folder / "out"
        shutil.copytree(ROOT / "bulkdcm", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self.manifest = folder / "manifest.csv"
        self.images.mkdir()
        for number, name in enumerate("abc"):
            self.image(name, number)
        self.write("a.png,", "b.png,", "c.png,")

    def image(self, name: str, shade: int) -> None:
        pixels = np.roll(np.arange(256, dtype=np.uint8).reshape(16, 16), shade)
        Image.fromarray(pixels).save(self.images / f"{name}.png")

    def write(self, *rows: str) -> None:
        """Write the manifest: of each row its source and SOP class and, after a semicolon, its comment."""
        lines = [HEADER]
        for number, row in enumerate(rows):
            asked, _, comment = row.partition(";")
            lines.append(f"{asked},1,A^B,20230101,1,{number + 1},{number + 1},{comment}")
        self.manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.package / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} has changed: {before}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def create(self, file: str, text: str) -> None:
        (self.package / file).write_text(text, encoding="utf-8")

    def run(self, *options: object, code: int = 0, command: str = "convert") -> str:
        words = [str(word) for word in ("--images", self.images, *options)]
        done = subprocess.run(
            [sys.executable, "-m", "bulkdcm", command, str(self.manifest), "--out", str(self.out), *words],
            cwd=self.package.parent,  # `python -m` looks there first
            env={**os.environ, "PYTHONPATH": str(self.package.parent)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            encoding="utf-8",
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def table(self) -> pd.DataFrame:
        return pd.read_csv(self.out / "report.csv", index_col="source")


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path)


@pytest.mark.parametrize(
    "what",
    ["a SOP class", "a compressed transfer syntax", "a report column", "a report's file", "an engine", "a store", "a kind of object"],
)  # fmt: skip
def test_the_recipes_that_are_followed_here_are_written(what):
    assert f"| {what} |" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


ENGINE = '''
from bulkdcm.engines.base import OnThisMachine


class Backwards(OnThisMachine):
    """Runs the last chunk first."""

    names_the_row = False
    stops_a_row = False
    limits_memory = False

    def workers(self, asked, address):
        return 1

    def run(self, function, chunks, workers):
        yield from map(function, reversed(list(chunks)))
'''


def test_an_engine(copy):
    copy.create("engines/backwards.py", ENGINE)
    copy.edit(
        "engines/__init__.py",
        '"dask": Dask()}',
        '"dask": Dask(), "backwards": Backwards()}',
    )
    copy.edit(
        "engines/__init__.py",
        "from bulkdcm.engines.dask import Dask\n",
        "from bulkdcm.engines.backwards import Backwards\nfrom bulkdcm.engines.dask import Dask\n",
    )
    copy.run("--backend", "backwards", "--chunk-size", 1)
    assert copy.table()["status"].eq("converted").all()
    assert "backwards" in copy.run("--backend", "nonsense", code=2)
    for option in ("--row-timeout", "--memory-limit"):
        assert "--backend backwards" in copy.run("--backend", "backwards", option, 5, code=2)


STORE = '''
import sys
from dataclasses import dataclass
from typing import ClassVar

from bulkdcm.stores.local import Local


@dataclass(frozen=True, slots=True, kw_only=True)
class Loud(Local):
    """A folder that says what comes into it."""

    needs_sync: ClassVar[bool] = False

    def put(self, place, data):
        stored = Local.put(self, place, data)
        print(f"put {stored.name}: {stored.size_bytes}", file=sys.stderr)
        return stored
'''


def test_a_store(copy):
    copy.create("stores/loud.py", STORE)
    copy.edit(
        "conversion/run.py", "outputs: type[Local] = Local,\n) -> Report:", "outputs: type[Local] = Loud,\n) -> Report:"
    )
    copy.edit(
        "conversion/run.py",
        "from bulkdcm.stores import Local, Null",
        "from bulkdcm.stores.loud import Loud\nfrom bulkdcm.stores import Local, Null",
    )
    said = copy.run("--backend", "sequential")
    sizes = copy.table()["output_size_bytes"]
    assert all(f"put {name[0]}.dcm: {size}" in said for name, size in sizes.items())
    assert "put" not in copy.run("--backend", "sequential")


MAKER = '''
import io
from dataclasses import replace
from typing import ClassVar

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from bulkdcm import uids
from bulkdcm.errors import PixelError
from bulkdcm.objects.base import Made

CLASS = "1.2.840.10008.5.1.4.1.1.88.59"


class Selection:
    """A text file, and the images that its row's comment names (Key Object Selection, PS3.3 A.35.4)."""

    endings: ClassVar = (".txt",)
    output_schema: ClassVar = 1
    called_up_schema: ClassVar = 1
    refers: ClassVar = True

    def depends_on(self, row):
        return tuple(row.attributes["ImageComments"].split())

    def read(self, row, sources, making):
        making.enter("decode")
        try:
            return sources[0].data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PixelError(f"{row.source}: no text") from error

    def size_bytes(self, content):
        return len(content)

    def make(self, row, sources, content, making):
        making.enter("build")
        instance = uids.assign(replace(row, sop_class_uid=CLASS), sources[0].sha256, "", making.uid_key)
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = CLASS, instance.sop_instance_uid
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = instance.study_instance_uid, instance.series_instance_uid
        dataset.PatientID, dataset.ContentDescription = row.attributes["PatientID"], content
        items = []
        for reference in row.references:
            item = Dataset()
            item.ReferencedSOPClassUID = reference.sop_class_uid
            item.ReferencedSOPInstanceUID = reference.sop_instance_uid
            items.append(item)
        dataset.ReferencedSOPSequence = items
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
        making.enter("encode")
        buffer = io.BytesIO()
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return Made(
            data=[buffer.getvalue()],
            uids=instance,
            sop_class_uid=CLASS,
            transfer_syntax_uid=ExplicitVRLittleEndian,
            decisions=("refers to " + row.attributes["ImageComments"],),
        )
'''


@pytest.fixture
def referring(copy) -> Copy:
    copy.create("objects/selection.py", MAKER)
    copy.edit(
        "objects/__init__.py",
        "RESTAMP: Restamp()}",
        'RESTAMP: Restamp(), "KO": Selection()}',
    )
    copy.edit(
        "objects/__init__.py",
        "from bulkdcm.objects.restamp import Restamp\n",
        "from bulkdcm.objects.restamp import Restamp\nfrom bulkdcm.objects.selection import Selection\n",
    )
    (copy.images / "note.txt").write_text("the ones to look at", encoding="utf-8")
    (copy.images / "last").write_text("a selection of a selection", encoding="utf-8")
    copy.write("last,KO;note.txt", "note.txt,;c.png a.png", "a.png,", "b.png,", "c.png,")
    return copy


def referred(copy: Copy, name: str) -> list[str]:
    dataset = pydicom.dcmread(copy.out / f"{name}.dcm")
    return [item.ReferencedSOPInstanceUID for item in dataset.ReferencedSOPSequence]


@pytest.mark.parametrize(
    "engine", [("--backend", "sequential"), ("--n-jobs", 2, "--chunk-size", 1)], ids=lambda e: e[1]
)
def test_a_kind_of_object_that_refers_to_others(engine, referring):
    referring.run(*engine)
    table = referring.table()
    assert table["status"].eq("converted").all()
    assert referred(referring, "note") == [table["sop_instance_uid"][name] for name in ("c.png", "a.png")]
    assert referred(referring, "last") == [table["sop_instance_uid"]["note.txt"]]
    assert table["decisions"]["note.txt"] == "refers to c.png a.png"
    assert pd.isna(table["rows"]["note.txt"]) or table["rows"]["note.txt"] == 0


def test_what_refers_is_made_anew_with_what_it_refers_to(referring):
    referring.run()
    referring.run()
    assert json.loads((referring.out / "summary.json").read_text(encoding="utf-8"))["converted_now"] == 0
    referring.image("a", 9)
    assert "2  reference changed" in referring.run("--dry-run")
    referring.run()
    table = referring.table()
    assert table["attempt"].to_dict() == {"last": 2, "note.txt": 2, "a.png": 2, "b.png": 1, "c.png": 1}
    assert referred(referring, "note")[1] == table["sop_instance_uid"]["a.png"]
    # As if the run had been killed after the image was made: only what refers is left.
    referring.image("c", 5)
    referring.write("a.png,", "b.png,", "c.png,")
    referring.run()
    referring.write("last,KO;note.txt", "note.txt,;c.png a.png", "a.png,", "b.png,", "c.png,")
    referring.run()
    assert referred(referring, "note")[0] == referring.table()["sop_instance_uid"]["c.png"]


def test_what_refers_to_what_is_not_there_fails_and_goes_on_later(referring):
    whole = (referring.images / "a.png").read_bytes()
    (referring.images / "a.png").write_bytes(whole[:60])
    referring.run(code=1)
    table = referring.table()
    assert table["status"].to_dict() == {
        "last": "failed", "note.txt": "failed", "a.png": "failed", "b.png": "converted", "c.png": "converted",
    }  # fmt: skip
    assert "not all are converted" in table["message"]["last"]
    (referring.images / "a.png").write_bytes(whole)
    referring.run()
    assert referring.table()["status"].eq("converted").all()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("note.txt,;d.png", "a.png,"), "the source of no other row"),
        (("note.txt,;last", "last,KO;note.txt", "a.png,"), "refer to each other"),
    ],
)
def test_references_that_lead_nowhere_are_refused_before_anything_is_written(rows, said, referring):
    referring.write(*rows)
    assert said in referring.run(code=3)
    assert not referring.out.exists()
    referring.run("--skip-invalid", code=1)
    table = referring.table()
    assert table["status"]["a.png"] == "converted"
    assert (table["status"].drop("a.png") == "failed").all()


def test_a_report_column_works_on_an_old_ledger(copy):
    """The ledger was written by 0.1.0 for the demo: a new column is empty where a row isn't tried again."""
    copy.edit(
        "ledger/schema.py",
        '    Field("traceback"',
        '    Field("source_ending", "TEXT", "how its name ends", place=41, since=5),\n    Field("traceback"',
    )
    copy.edit(
        "conversion/outcome.py",
        '            "referenced": self.referenced,\n',
        '            "referenced": self.referenced,\n            "source_ending": self.stored.name[-3:],\n',
    )
    shutil.rmtree(copy.images)
    shutil.copytree(ROOT / "manifests" / "demo", copy.images)
    copy.manifest = copy.images / "manifest.csv"
    for path in copy.images.rglob("*"):
        os.utime(path, ns=(1_700_000_000_000_000_000,) * 2)
    (copy.out / ".bulkdcm").mkdir(parents=True)
    shutil.copy(FIXTURE, copy.out / ".bulkdcm" / "ledger.sqlite")
    (copy.out / ".bulkdcm" / "ledger-exists").touch()
    copy.run(code=1)
    table = copy.table()
    ran = table["status"].eq("converted")
    assert ran.sum() > 10
    assert table["source_ending"][ran].eq("dcm").all()
    again = copy.run("--dry-run")
    assert f"{ran.sum()}  done" in again


def test_an_old_row_keeps_its_empty_new_column_and_is_not_tried_again(copy):
    copy.run()
    copy.edit(
        "ledger/schema.py",
        '    Field("traceback"',
        '    Field("ending", "TEXT", "how its name ends", place=41, since=5),\n    Field("traceback"',
    )
    copy.edit(
        "conversion/outcome.py",
        '            "referenced": self.referenced,\n',
        '            "referenced": self.referenced,\n            "ending": self.stored.name[-3:],\n',
    )
    copy.image("b", 8)
    copy.run()
    table = copy.table()
    assert list(table.columns[-2:]) == ["ending", "traceback"]
    assert table["attempt"].tolist() == [1, 2, 1]
    assert table["ending"].fillna("-").tolist() == ["-", "dcm", "-"]


WRITER = '''

class _Lines:
    """``report.txt``: a word a row."""

    def available(self) -> bool:
        return True

    @contextmanager
    def writing(self, report, file):
        yield lambda block: file.write("".join(f"{status}\\n" for status in block["status"]).encode())

    def recognise(self, path) -> bool:
        return path.read_text(encoding="utf-8", errors="replace").partition("\\n")[0] in {"converted", "failed", "pending"}


WRITERS: dict[str, Writer] = {"report.txt": _Lines(), '''


def test_a_report_s_file(copy):
    copy.edit("report/writers.py", "\n\nWRITERS: dict[str, Writer] = {", WRITER)
    copy.run()
    assert (copy.out / "report.txt").read_text(encoding="utf-8") == "converted\n" * 3
    copy.run()
    (copy.out / "report.txt").write_text("somebody's", encoding="utf-8")
    assert "report.txt is no report of bulkdcm" in copy.run(code=5)
    (copy.out / "report.txt").unlink()
    copy.manifest.write_text(
        copy.manifest.read_text(encoding="utf-8").replace("source,", "output,source,").replace("a.png", "report.txt,a.png").replace("b.png", "b,b.png").replace("c.png", "c,c.png"),
        encoding="utf-8",
    )  # fmt: skip
    assert "report.txt" in copy.run(code=3)


def test_a_compressed_transfer_syntax(copy):
    copy.edit(
        "encode/codecs.py",
        "CODECS: dict[str, Codec] = {\n",
        'CODECS: dict[str, Codec] = {\n    "packbits": Codec(transfer_syntax_uid="1.2.840.10008.1.2.5", encode=_rle),\n',
    )
    copy.edit("settings.py", 'LOSSLESS = ("rle", ', 'LOSSLESS = ("packbits", "rle", ')
    pytest.importorskip("imagecodecs")
    copy.run("--transfer-syntax", "packbits")
    dataset = pydicom.dcmread(copy.out / "a.dcm")
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"
    assert np.array_equal(dataset.pixel_array, np.asarray(Image.open(copy.images / "a.png")))
    assert "compressed: packbits" in copy.table()["decisions"]["a.png"]


def test_a_sop_class(copy):
    """The retired ultrasound class has the modules of the one that took its place."""
    copy.edit(
        "iods/registry.py",
        "IODS: tuple[IOD, ...] = (\n",
        """IODS: tuple[IOD, ...] = (
    IOD(
        alias="US-OLD",
        keyword="UltrasoundImageStorageRetired",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.6",
        section="A.6",
        modalities=("US",),
        modules=(*_COMMON, m.GENERAL_EQUIPMENT, *_IMAGE, m.US_IMAGE, m.ICC_PROFILE),
        pixel_kinds=frozenset({"gray8", "rgb8"}),
        photometric_interpretations=_GRAY_YBR,
    ),
""",
    )
    copy.write("a.png,US-OLD", "b.png,UltrasoundImageStorageRetired", "c.png,1.2.840.10008.5.1.4.1.1.6")
    copy.run()
    assert pydicom.dcmread(copy.out / "c.dcm").Modality == "US"
    assert copy.table()["sop_class_uid"].eq("1.2.840.10008.5.1.4.1.1.6").all()
