"""`bulkdcm bench` runs rows for real, says what it saw, and leaves nothing behind."""

from __future__ import annotations

import json
import re

import pytest
from PIL import Image

from bulkdcm.bench import Configuration, Measurement, floor, grid, recommended
from bulkdcm.conversion import api
from bulkdcm.settings import Settings
from tests.systems import WINDOWS, any_name


def measured(images_per_s: float, **configuration: object) -> Measurement:
    usual = {"n_jobs": 1, "chunk_size": 0, "backend": "loky", "transfer_syntax": "auto"}
    return Measurement(
        configuration=Configuration(**{**usual, **configuration}), cold_images_per_s=0.0, images_per_s=images_per_s,
        floor_images_per_s=0.0, spread=0.0, source_mb_per_s=0.0, output_mb_per_s=0.0, stage_shares={}, bound_by="", worker_mb=0.0, parent_mb=0.0,
        efficiency=0.0, failed=0,
    )  # fmt: skip


def test_every_combination_is_tried_once_and_one_worker_before_several():
    found = grid([1, 3], [0, 8], ["loky", "sequential"], ["auto", "rle"])
    assert len(found) == len(set(found)) == 2 * 2 * 2 + 2 * 2
    assert {one.n_jobs for one in found if one.backend == "sequential"} == {1}
    jobs = [one.n_jobs for one in grid([], [0], ["loky"], ["auto"])]
    assert jobs == sorted(set(jobs))
    assert jobs[0] == 1


def test_a_cluster_is_tried_with_all_its_workers_and_only_it_has_a_scheduler():
    found = grid([1, 2], [0], ["loky", "dask"], ["auto"], "tcp://host:8786")
    assert [(one.backend, one.n_jobs, one.scheduler) for one in found] == [
        ("loky", 1, ""),
        ("loky", 2, ""),
        ("dask", 0, "tcp://host:8786"),
    ]
    assert found[-1].of(Settings()).scheduler == "tcp://host:8786"


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([measured(100.0), measured(190.0, n_jobs=2)], 1),
        ([measured(100.0), measured(101.0, n_jobs=2)], 0),
        ([measured(100.0, chunk_size=8), measured(99.0)], 1),
        ([measured(100.0, backend="threading"), measured(99.0)], 1),
        ([measured(120.0, backend="threading"), measured(99.0)], 0),
    ],
)
def test_the_fastest_is_recommended_or_the_simplest_as_fast(found, best):
    assert recommended(found) is found[best]


def test_a_bench_says_what_it_saw_and_leaves_nothing_behind(dataset, bulkdcm_command, tmp_path):
    place, figures, picture = tmp_path / "place", tmp_path / "f.json", tmp_path / "p.svg"
    place.mkdir()
    done = bulkdcm_command(
        "bench", dataset / "manifest.csv", "--sample", 6, "--repeats", 2, "--n-jobs", "1,2", "--chunk-sizes", "0,2",
        "--place", place, "--json", figures, "--plot", picture,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not list(place.iterdir())
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert len(found["runs"]) == 4
    for run in found["runs"]:
        assert run["images_per_s"] > 0
        assert run["cold_images_per_s"] > 0 or WINDOWS  # which forgets no file when it is asked to
        assert run["floor_images_per_s"] > run["images_per_s"]
        assert run["bound_by"] == "start"  # of six images
        assert 20 < run["worker_mb"] < 500
        assert sum(run["stage_shares"].values()) == pytest.approx(1, abs=0.01)
    assert [run["efficiency"] for run in found["runs"] if run["configuration"]["n_jobs"] == 1] == [1.0, 1.0]
    assert found["machine"]["cores"] >= 1
    assert picture.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    (options,) = re.findall(r"^recommended: (.*)$", done.stdout, re.MULTILINE)
    again = bulkdcm_command("convert", dataset / "manifest.csv", "--out", tmp_path / "out", *options.split())
    assert again.returncode == 0, again.stderr


def test_null_writes_no_output(dataset, tmp_path):
    report = api.rehearse(dataset / "manifest.csv", tmp_path / "out", backend="sequential")
    assert report.count("converted") == len(report.table)
    assert not list((tmp_path / "out").rglob("*.dcm"))
    real = api.convert(dataset / "manifest.csv", tmp_path / "real", backend="sequential")
    assert list(real.table["output_sha256"]) == list(report.table["output_sha256"])


def test_null_and_other_backends_are_measured_too(dataset, bulkdcm_command, tmp_path):
    done = bulkdcm_command(
        "bench", dataset / "manifest.csv", "--sample", 4, "--repeats", 1, "--null", "--backends", "threading,sequential",
        "--n-jobs", 2, "--json", tmp_path / "f.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["runs"]
    assert [run["configuration"]["backend"] for run in runs] == ["threading", "sequential"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--backends", "foo"), 2, "foo"),
        (("--n-jobs", "1,x"), 2, "1,2,4"),
        (("--plot", "p.pdf"), 2, ".png, .svg"),
        (("--place", "nowhere"), 2, "no such folder"),
        (("--transfer-syntaxes", "foo"), 2, "foo"),
        (("--backends", "dask"), 2, "--scheduler"),
        (("--json", "MANIFEST"), 2, "there is a file already"),
        (("--plot", "MANIFEST"), 2, "there is a file already"),
        (("--json", "nowhere/f.json"), 2, "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_tried_is_refused_before_anything_runs(options, code, said, dataset, bulkdcm_command):
    manifest = dataset / "manifest.csv"
    before = manifest.read_bytes()
    options = [manifest if option == "MANIFEST" else option for option in options]
    done = bulkdcm_command("bench", manifest, "--sample", 2, *options)
    assert done.returncode == code
    assert manifest.read_bytes() == before
    assert said in done.stderr
    assert "images/s" not in done.stdout + done.stderr


@any_name
def test_the_floor_writes_every_image_once_and_what_is_none_as_it_is(dataset, tmp_path):
    (tmp_path / "new\nline").write_bytes(b"no image")
    sources = [str(tmp_path / "new\nline"), *map(str, sorted(dataset.rglob("*.png")))]
    assert floor.seconds_of(sources, tmp_path / "out", 3) > 0
    written = sorted((tmp_path / "out" / "0").iterdir(), key=lambda path: int(path.stem))
    assert [path.name for path in written] == [f"{number}.dcm" for number in range(len(sources))]
    assert written[0].read_bytes() == bytes(2000) + b"no image"
    with Image.open(sources[1]) as image:
        assert written[1].stat().st_size >= 2000 + image.width * image.height
