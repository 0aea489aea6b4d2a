"""A picture in parts: each has some of every pixel's samples, and one of them merges all.

Sums of films are exact, so the merged film has the bits of one that was rendered in one piece. A
part's film that is lost, damaged or of another state of the scene is rendered where all are merged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from gpuqueue.binary import NOTHING, Binary
from gpuqueue.device.film import Film, add_film, empty_film
from gpuqueue.errors import InvalidJob
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.records import Parts
from gpuqueue.render.checkpoint import Checkpoints
from gpuqueue.render.film_file import MAX_BYTES, MIME_TYPE, open_film, seal_film
from gpuqueue.render.progressive import Rendered, Report
from gpuqueue.render.renderer import Renderer, fingerprint_of, processor_of
from gpuqueue.render.request import Plan, RenderRequest
from gpuqueue.render.scene_cache import LoadedScene

log = EventLogger(Category.RENDER)


def render_part(
    renderer: Renderer,
    request: RenderRequest,
    parts: Parts,
    report: Report,
    checkpoints: Checkpoints | None = None,
) -> Binary:
    """Render one part and store it; the picture if this was the last one, else NOTHING.

    Raises Cancelled if nobody wants the picture any more, and otherwise as `Renderer.render`.
    """
    scene, plan = renderer.prepare(request, report)
    job = _Split(renderer, scene, plan, parts, report)
    if not parts.is_stored() and not job.store_mine(checkpoints):
        return NOTHING
    if not parts.may_merge():
        return NOTHING
    film, rendered = job.merged()
    return renderer.picture(request, scene, film, rendered, report)


@dataclass(frozen=True)
class _Split:
    """One picture in parts, on this machine."""

    renderer: Renderer
    scene: LoadedScene
    plan: Plan
    parts: Parts
    report: Report

    @property
    def fingerprint(self) -> str:
        """Of the whole picture; GPUs of any kind may share it."""
        return fingerprint_of(self.scene, self.plan, "any")

    def store_mine(self, checkpoints: Checkpoints | None) -> bool:
        """Render and store the part; whether the picture is still wanted."""
        part = self.parts.part
        plan = self.plan.part(part.index, part.count)
        film, rendered = self.renderer.film_of(self.scene, plan, self.report, checkpoints)
        if film.nbytes > MAX_BYTES:
            raise InvalidJob(
                f"{plan.width} x {plan.height} pixels are too many for a picture in parts: a film "
                f"has {film.nbytes} bytes, at most {MAX_BYTES} are stored"
            )
        told = {
            "fingerprint": self.fingerprint,
            "processor": processor_of(self.renderer.device),
            "samples": rendered.samples,
            "seconds": rendered.seconds,
        }
        return self.parts.store(Binary(seal_film(film, told), MIME_TYPE))

    def merged(self) -> tuple[Film, Rendered]:
        """The sum of all parts."""
        count = self.parts.part.count
        total = empty_film(self.plan.width, self.plan.height)
        samples, seconds, processors = 0, 0.0, set()
        for index in range(count):
            self.report(index / count, f"Merging {count} parts")
            film, done, processor = self._part(index)
            add_film(total, film)
            samples, seconds = samples + done.samples, seconds + done.seconds
            processors.add(processor)
        log.event(
            Event.PARTS_MERGED,
            f"Merged {count} parts"
            + (
                f", rendered by unlike processors: {', '.join(sorted(processors))}; another split "
                "may differ by roundings."
                if len(processors) > 1
                else "."
            ),
            level=logging.WARNING if len(processors) > 1 else logging.INFO,
            parts=count,
        )
        return total, Rendered(samples, seconds, is_cut_short=False)

    def _part(self, index: int) -> tuple[Film, Rendered, str]:
        """One part's film, what it took, and on what."""
        data = self.parts.load(index)
        found = None if data is None else open_film(data, self.fingerprint)
        if found is not None:
            film, told = found
            return film, Rendered(told["samples"], told["seconds"], False), told["processor"]
        log.event(
            Event.PART_REFUSED,
            f"Part {index} is lost, damaged, or of another scene or version; it is rendered here.",
            level=logging.WARNING,
            part=index,
        )
        plan = self.plan.part(index, self.parts.part.count)
        film, rendered = self.renderer.film_of(self.scene, plan, self.report)
        return film.copy(), rendered, processor_of(self.renderer.device)
