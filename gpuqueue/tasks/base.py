"""What a task is: something done with a job's result before its message is deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gpuqueue.binary import Binary
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.job import describe

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?")
PLACEHOLDERS = ("${message_id}", "${mime_ext}")


class TaskConfig(BaseModel):
    """Base of every task's configuration; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    #: Whether it stores the result where a later task of the job can point to.
    stores: ClassVar[bool] = False

    on: Literal["success", "failure", "always"] = Field(
        "success",
        description="When to run: on success, with the result; on failure, once the job is given "
        "up, with a report of it in JSON; or always.",
    )

    def runs_on(self, outcome: Literal["success", "failure"]) -> bool:
        """Whether the task is for a job that ended so."""
        return self.on in (outcome, "always")

    @property
    def points_to_stored(self) -> bool:
        """Whether it needs a task before it that stores the result."""
        return False


@dataclass(frozen=True)
class Place:
    """Where a task stored the result: a configured bucket, the key, and the address to show."""

    bucket: str
    key: str
    address: str


@dataclass(frozen=True)
class TaskContext:
    """What a task may use and must name its results by."""

    settings: Settings
    job_id: str
    #: Position of this task in the job, from 0.
    index: int = 0
    #: Where the tasks before it stored the result.
    stored: tuple[Place, ...] = ()
    #: Whether the job was given up: the result is a report then.
    is_failure: bool = False

    @property
    def delivery_id(self) -> str:
        """Names what this task delivers, the same each time it runs for the job."""
        return f"{self.job_id}.{self.index}{'.failure' if self.is_failure else ''}"

    def substitute(self, text: str, result: Binary) -> str:
        """Replace ``${message_id}`` and ``${mime_ext}`` in `text`."""
        return text.replace("${message_id}", self.job_id).replace("${mime_ext}", result.extension)


def check_placeholders(field: str, text: str) -> None:
    """Raise InvalidJob if `text` has a ``${…}`` that would not be replaced."""
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder not in PLACEHOLDERS:
            raise InvalidJob(
                f"{field}: unknown substitution {placeholder}; known: {', '.join(PLACEHOLDERS)}"
            )


class Task(Protocol):
    """A task. It may run twice for one job and must have the same effect as once."""

    name: ClassVar[str]
    Config: ClassVar[type[TaskConfig]]

    @staticmethod
    def check(config: Any, settings: Settings) -> None:
        """Check at submit what can be known then. Raises InvalidJob."""

    @staticmethod
    def run(config: Any, result: Binary, context: TaskContext) -> Place | None:
        """Do it; return where it stored the result, if it did.

        Raises InvalidJob for what will never work, TransientError for what may.
        """


def parse_config(task: type[Task], config: dict[str, Any]) -> TaskConfig:
    """The task's checked configuration. Raises InvalidJob naming wrong fields."""
    try:
        return task.Config.model_validate(config)
    except ValidationError as error:
        raise InvalidJob(f"config of task {task.name}: {describe(error)}") from error
