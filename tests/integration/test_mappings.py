"""``bulkdcm mappings``: what datasets there are mappings for, and each to be copied."""

from __future__ import annotations

import textwrap

import pytest

from bulkdcm import mappings


def test_the_list_says_of_each_what_it_is_for_and_what_it_does_not_use(bulkdcm_command):
    done = bulkdcm_command("mappings", env_add={"COLUMNS": "300", "FORCE_COLOR": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in mappings.names()] == mappings.names()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    entry = done.stdout.split("\n\n")[mappings.names().index("vindr-cxr")]
    assert entry == textwrap.dedent("""\
        vindr-cxr
          VinDr-CXR (VinBigData): train.csv
          makes: source, PatientID, PatientName, StudyID, SeriesNumber, InstanceNumber,
              Modality, BodyPartExamined, ImageComments
          not used: class_id (class_name says it)
          not used: rad_id (who drew the box; ImageComments holds the findings of all)
          not used: x_min, y_min, x_max, y_max (a box's side: boxes are no attribute of
              an image)""")


def test_one_is_printed_as_it_is(bulkdcm_command):
    for name in ("padchest", "mura"):
        done = bulkdcm_command("mappings", name)
        assert (done.returncode, done.stdout) == (0, mappings.find(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nih", "Did you mean nih-chestxray14?"),
        ("chexprt", "Did you mean chexpert?"),
        ("isic2020.toml", "Did you mean isic2020?"),
        ("../mappings/isic", "`bulkdcm mappings` lists those that there are."),
    ],
)
def test_a_name_that_there_is_not_is_refused(name, words, bulkdcm_command):
    done = bulkdcm_command("mappings", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.rstrip().endswith(words)
    assert mappings.find(name) is None


def test_only_names_are_found():
    assert mappings.find("") is None
    assert mappings.find("__init__") is None
    assert mappings.find("chexpert").is_file()
