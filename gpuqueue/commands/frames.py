"""Frames of an animation: one job each, that differ by the number in ``${frame}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from gpuqueue.commands.base import Parameters
from gpuqueue.errors import InvalidJob
from gpuqueue.job import Job, TaskCall, describe

#: One submit must end within the time that a request may take.
MAX_FRAMES = 1000
_NUMBER = Field(ge=-999_999, le=999_999)
#: ``${frame}``, or ``${frame:4}`` with zeros in front, to so many digits.
_PLACEHOLDER = re.compile(r"\$\{frame(?::([1-9]))?\}")


class FrameRange(Parameters):
    """Frames from the first to the last one, every `step`-th."""

    first: int = _NUMBER
    last: int = _NUMBER
    step: int = Field(1, ge=1, le=999_999)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"expected last to be at least first, {self.first}")
        if len(self.numbers) > MAX_FRAMES:
            raise ValueError(f"{len(self.numbers)} frames; at most {MAX_FRAMES} fit in one submit")
        return self

    @property
    def numbers(self) -> range:
        """The frames' numbers."""
        return range(self.first, self.last + 1, self.step)


def parse_frames(text: str) -> tuple[int, ...]:
    """Numbers from ``1-100``, ``1-100x5`` or ``3,7,12``. Raises InvalidJob."""
    found = re.fullmatch(r"(-?[0-9]{1,6})-(-?[0-9]{1,6})(?:x([0-9]{1,6}))?", text)
    try:
        if found is not None:
            first, last, step = found.groups("1")
            return tuple(FrameRange(first=int(first), last=int(last), step=int(step)).numbers)
        return TypeAdapter(tuple[int, ...]).validate_python(text.split(","))
    except ValidationError as error:
        raise InvalidJob(
            f"frames '{text}': expected 1-100, 1-100x5 or 3,7,12: {describe(error)}"
        ) from error


def jobs_of_frames(job: Job, frames: tuple[int, ...], has_frame: bool) -> Iterator[tuple[int, Job]]:
    """For each frame its job. Raises InvalidJob if frames would be alike, or in each other's way.

    Texts in parameters and tasks say ``${frame}`` for its number; where the command has a parameter
    ``frame``, it is given besides.
    """
    if len(set(frames)) != len(frames):
        raise InvalidJob("frames: a number is there twice")
    if len(frames) > MAX_FRAMES:
        raise InvalidJob(f"{len(frames)} frames; at most {MAX_FRAMES} fit in one submit")
    varies = has_frame or _with_number(job.parameters, 0) != job.parameters
    if not varies and len(frames) > 1:
        raise InvalidJob("frames: nothing in the parameters says ${frame}, so all would be alike")
    for task in job.tasks:
        key = task.config.get("key")
        if isinstance(key, str) and "${message_id}" not in key and not _PLACEHOLDER.search(key):
            raise InvalidJob(
                f"frames: all would be stored as '{key}'; put ${{frame}} or ${{message_id}} into it"
            )
    for frame in frames:
        parameters = _with_number(job.parameters, frame)
        if has_frame:
            parameters.setdefault("frame", frame)
        tasks = [TaskCall(name=t.name, config=_with_number(t.config, frame)) for t in job.tasks]
        yield frame, Job.new(job.command, parameters, tasks, job.reference)


def _with_number(value: Any, frame: int) -> Any:
    """`value` with the frame's number in all its texts."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: f"{frame:0{found[1] or 0}d}", value)
    if isinstance(value, Mapping):
        return {key: _with_number(item, frame) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_number(item, frame) for item in value]
    return value
