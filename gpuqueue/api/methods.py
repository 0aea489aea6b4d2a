"""The commands of a server as JSON-RPC methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from gpuqueue.api.rpc import Method
from gpuqueue.api.rpc_errors import InvalidParams, InvalidRequest, MustBeQueued
from gpuqueue.commands import Command, Result
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings
from gpuqueue.errors import UnknownName
from gpuqueue.job import wrong_fields


class CommandMethods(Mapping[str, Method]):
    """Every command by its name; one that renders answers a direct call with what to do instead.

    With `only_safe`, so does one that changes something. Also the CommandContext of the commands
    that run in a front end.
    """

    def __init__(self, settings: Settings, *, only_safe: bool = False) -> None:
        self.settings = settings
        self._only_safe = only_safe
        self._commands = commands_for(settings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(list(self._commands))

    def __getitem__(self, name: str) -> Method:
        try:
            command = self._commands.load(name)
        except UnknownName as error:
            raise KeyError(name) from error
        return Method(parameter_names(command), partial(self._run, command))

    @property
    def job_id(self) -> None:
        """A direct call is no job."""

    @property
    def part(self) -> None:
        """Nor a part of one."""

    def progress(self, fraction: float, message: str) -> None:
        """Nobody watches a direct call."""

    def call(self, name: str, parameters: Mapping[str, Any]) -> Result:
        """Run another direct command."""
        return self._run(self._commands.load(name), parameters)

    def _run(self, command: Command[Any], parameters: Mapping[str, Any]) -> Result:
        if not command.direct:
            raise MustBeQueued(
                f"submit it: queue_manager_submit_job with command '{command.name}', "
                "its parameters, and tasks for its result"
            )
        if self._only_safe and command.changes:
            raise InvalidRequest(f"'{command.name}' changes something: send it by POST")
        try:
            checked = command.parameters.model_validate(dict(parameters))
        except ValidationError as error:
            raise InvalidParams(
                [{"field": field, "problem": problem} for field, problem in wrong_fields(error)]
            ) from error
        return command.function(checked, self)


def parameter_names(command: Command[Any]) -> tuple[str, ...]:
    """The names a caller uses, in the order of positional parameters."""
    fields = command.parameters.model_fields.items()
    return tuple(field.alias or name for name, field in fields)
