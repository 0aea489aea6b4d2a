"""What a command is: a name, checked parameters, and a function that returns a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gpuqueue.binary import Binary, JsonValue
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.job import describe

P = TypeVar("P", bound="Parameters", contravariant=True)
Result = Binary | JsonValue


class Parameters(BaseModel):
    """Base of every command's parameters; each field has a description, unknown ones are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CommandContext(Protocol):
    """What a running command may use."""

    @property
    def settings(self) -> Settings:
        """The server's settings."""

    def progress(self, fraction: float, message: str) -> None:
        """Report how far the command is, 0 to 1. Raises Interrupted if it should stop."""

    def call(self, name: str, parameters: Mapping[str, Any]) -> Result:
        """Run another command and return its result."""


class Function(Protocol[P]):
    """The body of a command."""

    __name__: str
    __doc__: str | None

    def __call__(self, parameters: P, context: CommandContext) -> Result:
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

    def check(self, parameters: Mapping[str, Any]) -> P:
        """The parameters as the command's own model. Raises InvalidJob naming wrong fields."""
        try:
            return self.parameters.model_validate(dict(parameters))
        except ValidationError as error:
            raise InvalidJob(f"parameters of {self.name}: {describe(error)}") from error

    def run(self, parameters: Mapping[str, Any], context: CommandContext) -> Result:
        """Check the parameters and run the body."""
        return self.function(self.check(parameters), context)


def command(
    name: str, *, parameters: type[P], returns: str, groups: tuple[str, ...] = ()
) -> Callable[[Function[P]], Command[P]]:
    """Turn a function into a Command; its docstring is the description.

    ::

        @command("get_version", parameters=NoParameters, returns="the version, a string")
        def get_version(parameters: NoParameters, context: CommandContext) -> str:
            '''Tell the version of this server.'''
    """

    def wrap(function: Function[P]) -> Command[P]:
        description = (function.__doc__ or "").strip()
        return Command(name, description, groups, parameters, returns, function)

    return wrap


class NoParameters(Parameters):
    """A command without parameters."""
