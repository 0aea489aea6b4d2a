"""A job: the command to run and the tasks for its result, as carried by a queue's message."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticSerializationError

from gpuqueue.errors import InvalidJob, shown
from gpuqueue.strict_json import NotJson, parse

#: A job is small, its effect is not: without a bound one message could post ten thousand times.
MAX_TASKS = 20
#: Each part loads the scene, and whoever merges reads a film of each.
MAX_PARTS = 64
#: Wrong fields that an error names.
MAX_NAMED = 10


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): 48 bits of time in milliseconds, then random ones."""
    made_at = int(time.time() * 1000).to_bytes(6, "big")
    value = int.from_bytes(made_at + os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def made_at_ms(job_id: str) -> int | None:
    """When a job with an id of ours was made, in milliseconds since 1970; None for other ids."""
    try:
        value = uuid.UUID(job_id)
    except ValueError:
        return None
    return value.int >> 80 if value.version == 7 and str(value) == job_id else None


class TaskCall(BaseModel):
    """One task of a job: its registered name and its configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    config: dict[str, Any] = Field(default_factory=dict)


class Part(BaseModel):
    """One of several messages that share the work of one job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The id of the job.
    of: str = Field(pattern=r"^[A-Za-z0-9-]{1,100}$")
    index: int = Field(ge=0, lt=MAX_PARTS)
    count: int = Field(ge=2, le=MAX_PARTS)

    @property
    def id(self) -> str:
        """The part's own id; no other job's has such a form."""
        return f"{self.of}_{self.index}"


def whole_of(job_id: str) -> tuple[str, int] | None:
    """The job that a part with this id is of, and the part's index; None if it is none."""
    found = re.fullmatch(r"([A-Za-z0-9-]{1,100})_([0-9]{1,3})", job_id)
    if found is None or made_at_ms(found[1]) is None:
        return None
    return found[1], int(found[2])


class Job(BaseModel):
    """The payload of a message. The id is minted at submit, so it outlives a redrive."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    version: Literal[1] = 1
    id: str = Field(default_factory=new_id, pattern=r"^[A-Za-z0-9_-]{1,128}$")
    #: What the client calls the job; nothing here reads it.
    reference: str | None = Field(None, max_length=256)
    command: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    tasks: tuple[TaskCall, ...] = Field((), max_length=MAX_TASKS)
    #: Which part of the job's work this message asks for; None: all of it.
    part: Part | None = None

    @model_validator(mode="after")
    def _is_called_as_its_part(self) -> Self:
        part = self.part
        if part is not None and (self.id != part.id or part.index >= part.count):
            raise ValueError(f"expected the id {part.id}, of a part below {part.count}")
        return self

    @property
    def whole_id(self) -> str:
        """The id of the whole job, by which its results go."""
        return self.id if self.part is None else self.part.of

    def split(self, count: int) -> Iterator[Job]:
        """The messages that do the job in so many parts."""
        for index in range(count):
            part = Part(of=self.id, index=index, count=count)
            yield self.model_copy(update={"id": part.id, "part": part})

    @classmethod
    def new(
        cls,
        command: str,
        parameters: Mapping[str, Any],
        tasks: Iterable[TaskCall] = (),
        reference: str | None = None,
    ) -> Job:
        """A job with an id of its own. Raises InvalidJob, naming every field that is wrong."""
        try:
            return cls(
                command=command,
                parameters=dict(parameters),
                tasks=tuple(tasks),
                reference=reference,
            )
        except ValidationError as error:
            raise InvalidJob(f"not a job: {describe(error)}") from error

    def to_body(self) -> str:
        """The JSON text to put into the queue. Raises InvalidJob for what could not be read back.

        A job made in Python may hold what JSON cannot: NaN, half a surrogate pair, any depth.
        """
        try:
            # Without what is not there, so that an older listener takes the job.
            absent = {name for name in ("reference", "part") if getattr(self, name) is None}
            body = self.model_dump_json(exclude=absent)
        except (PydanticSerializationError, UnicodeEncodeError) as error:
            raise InvalidJob(f"not a job: not JSON: {shown(str(error))}") from error
        Job.from_body(body, self.id)
        return body

    @classmethod
    def from_body(cls, body: str, message_id: str) -> Job:
        """Read a message's body; one inserted by hand without an id takes `message_id`.

        Raises InvalidJob, naming every field that is wrong.
        """
        try:
            job = cls.model_validate(parse(body))
        except ValidationError as error:
            raise InvalidJob(f"not a job: {describe(error)}") from error
        except NotJson as error:
            raise InvalidJob(f"not a job: not JSON: {error}") from error
        return job if "id" in job.model_fields_set else job.model_copy(update={"id": message_id})


def describe(error: ValidationError) -> str:
    """One line for a validation error: the first wrong fields and why, never the input itself."""
    told = [f"{field or 'body'}: {problem}" for field, problem in wrong_fields(error)]
    left = error.error_count() - len(told)
    return "; ".join([*told, f"and {left} more"] if left else told)


def wrong_fields(error: ValidationError) -> list[tuple[str, str]]:
    """The first wrong fields, each with its problem. A field may be a name that others chose."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        (shown(".".join(map(str, item["loc"]))), shown(_problem(item["msg"]), 300))
        for item in found[:MAX_NAMED]
    ]


def _problem(message: str) -> str:
    """What a validator of ours said, without pydantic's preface."""
    return message.removeprefix("Value error, ")
