"""What a command is: a name, checked parameters, and a function that returns a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gpuqueue.binary import Binary, JsonValue
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.job import Part, describe

P = TypeVar("P", bound="Parameters")
P_in = TypeVar("P_in", bound="Parameters", contravariant=True)
Result = Binary | JsonValue


class Parameters(BaseModel):
    """Base of every command's parameters; each field has a description, unknown ones are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CommandContext(Protocol):
    """What a running command may use."""

    @property
    def settings(self) -> Settings:
        """The server's settings."""

    @property
    def job_id(self) -> str | None:
        """The id of the job that the command is run for, if it is run for one."""

    @property
    def part(self) -> Part | None:
        """The part of the job that this is; None: all of it. Only commands with parts see one."""

    def progress(self, fraction: float, message: str) -> None:
        """Report how far the command is, 0 to 1. Raises Interrupted if it should stop."""

    def call(self, name: str, parameters: Mapping[str, Any]) -> Result:
        """Run another command and return its result."""


class Function(Protocol[P_in]):
    """The body of a command."""

    __name__: str
    __doc__: str | None

    def __call__(self, parameters: P_in, context: CommandContext) -> Result:
        """Run the command."""


@dataclass(frozen=True)
class Command(Generic[P]):
    """One command: its documentation, its parameters and its body."""

    name: str
    description: str
    groups: tuple[str, ...]
    parameters: type[P]
    returns: str
    function: Function[P]
    #: What else can be known of good parameters before the job runs; raises InvalidJob.
    submit_check: Callable[[P, Settings], None] | None = None
    #: Whether a job may ask for it.
    queueable: bool = True
    #: Whether a front end may run it at once: quick, and without a device.
    direct: bool = False
    #: Whether a call leaves something behind; then GET, which must be harmless, may not make it.
    changes: bool = False
    #: Whether several listeners may share one job of it.
    has_parts: bool = False

    def check(self, parameters: Mapping[str, Any]) -> P:
        """The parameters as the command's own model. Raises InvalidJob naming wrong fields."""
        try:
            return self.parameters.model_validate(dict(parameters))
        except ValidationError as error:
            raise InvalidJob(f"parameters of {self.name}: {describe(error)}") from error

    def check_at_submit(self, parameters: Mapping[str, Any], settings: Settings) -> None:
        """Check the parameters and all that can be known at submit. Raises InvalidJob."""
        checked = self.check(parameters)
        if self.submit_check is not None:
            self.submit_check(checked, settings)

    def run(self, parameters: Mapping[str, Any], context: CommandContext) -> Result:
        """Check the parameters and run the body."""
        return self.function(self.check(parameters), context)


def command(
    name: str,
    *,
    parameters: type[P],
    returns: str,
    groups: tuple[str, ...] = (),
    submit_check: Callable[[P, Settings], None] | None = None,
    queueable: bool = True,
    direct: bool = False,
    changes: bool = False,
    has_parts: bool = False,
) -> Callable[[Function[P]], Command[P]]:
    """Turn a function into a Command; its docstring is the description.

    `submit_check` looks at good parameters once more when a job is submitted, for what only the
    settings or the disk can tell (does the scene file exist?). A command that is not `queueable`
    can be called, but no job may ask for it. Only a `direct` one answers a JSON-RPC call at once;
    the others are queued. One that `changes` something is not called by GET.
    One that `has_parts` looks at its context's `part`; it returns NOTHING while others are at work.

    ::

        @command("get_version", parameters=NoParameters, returns="the version, a string")
        def get_version(parameters: NoParameters, context: CommandContext) -> str:
            '''Tell the version of this server.'''
    """

    def wrap(function: Function[P]) -> Command[P]:
        description = cleandoc(function.__doc__ or "")
        return Command(
            name=name,
            description=description,
            groups=groups,
            parameters=parameters,
            returns=returns,
            function=function,
            submit_check=submit_check,
            queueable=queueable,
            direct=direct,
            changes=changes,
            has_parts=has_parts,
        )

    return wrap


class NoParameters(Parameters):
    """A command without parameters."""
