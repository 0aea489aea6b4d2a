"""The context a command runs in: the settings, its progress, and the other commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gpuqueue.commands.base import Result
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings
from gpuqueue.job import Part


def _ignore(fraction: float, message: str) -> None:
    """Nobody asked for progress."""


@dataclass(frozen=True)
class RunContext:
    """A CommandContext; `on_progress` is told of progress and may raise to stop the command."""

    settings: Settings
    on_progress: Callable[[float, str], None] = _ignore
    job_id: str | None = None
    part: Part | None = None

    def progress(self, fraction: float, message: str) -> None:
        """Report how far the command is, 0 to 1."""
        # In this order, so that NaN becomes a number.
        self.on_progress(max(0.0, min(1.0, fraction)), str(message))

    def call(self, name: str, parameters: Mapping[str, Any]) -> Result:
        """Run another command and return its result. Raises UnknownName, InvalidJob."""
        return commands_for(self.settings).load(name).run(parameters, self)
