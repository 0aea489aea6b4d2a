"""The section `jobs`: real processes, and results that are checked to the byte."""

from __future__ import annotations

import pytest

from benchmarks.jobs.section import jobs, parameters, pictures, run
from benchmarks.jobs.site import running_site
from benchmarks.options import CheckFailed, Options

QUICK = Options(device="cpu", quick=True)


def test_jobs_are_measured_from_end_to_end() -> None:
    rows = {row.metric: row for row in jobs(QUICK)}
    assert rows["jobs a minute"].median == pytest.approx(60 / rows["s an image"].median)
    assert 0 <= rows["idle share of the device"].median < 1
    assert rows["client's CPU ms a job"].median > 0


def test_a_result_with_other_bytes_ends_the_run() -> None:
    asked = [parameters(1)]
    wrong = pictures(QUICK, [parameters(2)])
    with running_site(QUICK) as site, pytest.raises(CheckFailed, match="left other bytes"):
        run(site, asked, wrong)


def test_a_job_that_is_refused_or_fails_ends_the_run() -> None:
    with running_site(QUICK) as site:
        with pytest.raises(CheckFailed, match=r"a job was refused: .*no file in the content root"):
            site.submit({**parameters(1), "scene_file": "scenes/attic.mi"})
        broken = site.settings.content_root / "scenes" / "broken.mi"
        broken.write_text("nonsense")
        job_id = site.submit({**parameters(1), "scene_file": "scenes/broken.mi"})
        with pytest.raises(CheckFailed, match=rf"job {job_id}: dead, "):
            site.ends([job_id])
