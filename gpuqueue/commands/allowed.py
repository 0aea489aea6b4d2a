"""What a job may ask for: the commands of ``allow_command`` that are queueable.

``queue_manager_submit_job`` is not, whatever ``allow_command`` says: a job that queues jobs could
multiply without end. An installed command may still call it, as it may call any other.
"""

from __future__ import annotations

from typing import Any

from gpuqueue.commands.base import Command
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob, shown


def queueable_command(settings: Settings, name: str, in_parts: bool = False) -> Command[Any]:
    """The command, if a job may ask for it, or for a part of it. Raises UnknownName, InvalidJob."""
    commands = commands_for(settings)
    if name in commands:
        check_allowed(settings, name)
    command = commands.load(name)
    if not command.queueable:
        raise InvalidJob(f"command '{name}' can be called, but a job may not ask for it")
    if in_parts and not command.has_parts:
        raise InvalidJob(f"command '{name}' cannot be done in parts")
    return command


def check_allowed(settings: Settings, name: str) -> None:
    """Return if ``allow_command`` lists the command. Raises InvalidJob."""
    allowed = settings.queue_manager.allow_command
    if name not in allowed:
        listed = ", ".join(sorted(allowed)) or "none"
        raise InvalidJob(
            f"command '{shown(name)}' is not allowed here; allow_command has: {listed}"
        )
