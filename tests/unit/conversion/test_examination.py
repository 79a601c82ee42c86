"""Reading every image before a run has the limits of a run, and the same demands on workers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bulkdcm import system
from bulkdcm.conversion import examination, run
from bulkdcm.errors import ClusterError
from bulkdcm.settings import Settings


@pytest.fixture
def manifest(tmp_path):
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "a.png")
    text = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\na.png,1,A,20230101,101112,1,1,1\n"
    (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    return tmp_path / "m.csv"


@pytest.mark.parametrize(("asked_mb", "wanted"), [(0, 4_000_000_000), (700, 700_000_000)])
def test_workers_share_the_machine_s_memory_unless_a_limit_is_asked_for(asked_mb, wanted, manifest, monkeypatch):
    jobs = []

    def keep(job, *_):
        jobs.append(job)
        return []

    monkeypatch.setattr(examination, "Recovery", keep)
    monkeypatch.setattr(system, "memory_bytes", lambda: 10_000_000_000)
    assert run.examined(manifest, Settings(n_jobs=2, memory_limit=asked_mb))[1] == []
    assert [job.memory_bytes for job in jobs] == [wanted]


def test_a_worker_with_another_release_is_refused(manifest, monkeypatch):
    context = run._context
    monkeypatch.setattr(run, "_context", lambda *given: replace(context(*given), version="0.0"))
    with pytest.raises(ClusterError, match=r"the run 0\.0: install the same"):
        run.examined(manifest, Settings(backend="sequential"))
