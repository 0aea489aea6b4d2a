"""A job: the command to run and the tasks for its result, as carried by a queue's message."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from gpuqueue.errors import InvalidJob


class TaskCall(BaseModel):
    """One task of a job: its registered name and its configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    config: dict[str, Any] = Field(default_factory=dict)


class Job(BaseModel):
    """The payload of a message. The id is minted at submit, so it outlives a redrive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: str = Field(default_factory=lambda: str(uuid.uuid4()), pattern=r"^[A-Za-z0-9_-]{1,128}$")
    command: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    tasks: tuple[TaskCall, ...] = ()

    def to_body(self) -> str:
        """The JSON text to put into the queue."""
        return self.model_dump_json()

    @classmethod
    def from_body(cls, body: str, message_id: str) -> Job:
        """Read a message's body; one inserted by hand without an id takes `message_id`.

        Raises InvalidJob, naming every field that is wrong.
        """
        try:
            job = cls.model_validate(from_json(body, allow_inf_nan=False))
        except ValidationError as error:
            raise InvalidJob(f"not a job: {describe(error)}") from error
        except ValueError as error:
            raise InvalidJob(f"not a job: not JSON: {error}") from error
        return job if "id" in job.model_fields_set else job.model_copy(update={"id": message_id})


def describe(error: ValidationError) -> str:
    """One line for a validation error: each wrong field and why, never the input itself."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'body'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    )
