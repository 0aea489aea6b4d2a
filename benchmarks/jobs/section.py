"""The section `jobs`: small renders through submit, queue, listener and task, checked to the byte.

The jobs are small, so that what lies between two renders counts. Each has a seed of its own; the
picture that it must leave is rendered here first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.device import settings_of
from benchmarks.jobs.site import SCENES, Site, running_site
from benchmarks.options import CheckFailed, Options
from benchmarks.report import IMAGE_SECONDS
from benchmarks.rows import Row
from gpuqueue.records import JobRecord
from gpuqueue.render import RenderRequest
from gpuqueue.render.renderer import Renderer

JOBS, QUICK_JOBS = 40, 3
SCENE, SIDE, SAMPLES = "cornell.mi", 128, 16


def jobs(options: Options) -> Iterator[Row]:
    """Rows of one server and one listener. Raises CheckFailed where a job fails or its result has
    other bytes than the same picture rendered here."""
    asked = [parameters(seed) for seed in range(QUICK_JOBS if options.quick else JOBS)]
    expected = pictures(options, asked)
    rounds: list[dict[str, float]] = []
    with running_site(options) as site:
        run(site, asked[:1], expected[:1])  # the render process starts and loads the scene
        for _ in range(1 if options.quick else options.rounds):
            rounds.append(run(site, asked, expected))
    row = partial(Row, "jobs", SCENE, f"{SIDE} x {SIDE}, {SAMPLES} samples")

    def of(name: str) -> tuple[float, ...]:
        return tuple(measured[name] for measured in rounds)

    yield row("jobs a minute", of("jobs a minute"))
    yield row(IMAGE_SECONDS, of(IMAGE_SECONDS), "lower", "job after job, of one listener")
    yield row("idle share of the device", of("idle"), "lower")
    yield row("ms to submit", of("submit ms"), "lower")
    yield row("client's CPU ms a job", of("client ms"), "lower")


def parameters(seed: int) -> dict[str, Any]:
    """What a job asks for."""
    return {
        "scene_file": f"scenes/{SCENE}",
        "width": SIDE,
        "height": SIDE,
        "samples": SAMPLES,
        "seed": seed,
        "format": "png",
    }


def pictures(options: Options, asked: list[dict[str, Any]]) -> list[bytes]:
    """What each job must leave behind, rendered in this process."""
    renderer = Renderer(settings_of(options), SCENES.parent)
    try:
        return [renderer.render(RenderRequest(**one), lambda *_: None).data for one in asked]
    finally:
        renderer.device.close()


def run(site: Site, asked: list[dict[str, Any]], expected: list[bytes]) -> dict[str, float]:
    """Submit all, wait for all, check all; what it took, by name."""
    wall, cpu = time.perf_counter(), time.process_time()
    job_ids = [site.submit(one) for one in asked]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    records = site.ends(job_ids)
    for job_id, picture in zip(job_ids, expected, strict=True):
        if site.result(job_id, "png") != picture:
            raise CheckFailed(f"job {job_id} left other bytes than the same picture rendered here")
    span, busy = span_of(records), sum(record.attempts[-1].device_s for record in records)
    return {
        "jobs a minute": 60 * len(asked) / span,
        IMAGE_SECONDS: span / len(asked),
        "idle": max(0.0, 1 - busy / span),
        "submit ms": 1e3 * wall / len(asked),
        "client ms": 1e3 * cpu / len(asked),
    }


def span_of(records: list[JobRecord]) -> float:
    """Seconds from the start of the first job to the end of the last."""
    attempts = [record.attempts[-1] for record in records]
    ended = [attempt.ended_at for attempt in attempts if attempt.ended_at is not None]
    return max(ended) - min(attempt.started_at for attempt in attempts)
