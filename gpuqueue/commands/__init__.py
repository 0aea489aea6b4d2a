"""Commands: what a job may ask for."""

from __future__ import annotations

from typing import Any

from gpuqueue.commands.base import (
    Command,
    CommandContext,
    NoParameters,
    Parameters,
    Result,
    command,
)
from gpuqueue.registry import Registry

__all__ = [
    "COMMANDS",
    "Command",
    "CommandContext",
    "NoParameters",
    "Parameters",
    "Result",
    "command",
]

COMMANDS: Registry[Command[Any]] = Registry(
    "command",
    get_version="gpuqueue.commands.get_version:get_version",
    queue_manager_cancel_job="gpuqueue.commands.jobs:queue_manager_cancel_job",
    queue_manager_cancel_group="gpuqueue.commands.groups:queue_manager_cancel_group",
    queue_manager_get_dead="gpuqueue.commands.dead_letters:queue_manager_get_dead",
    queue_manager_get_group="gpuqueue.commands.groups:queue_manager_get_group",
    queue_manager_get_job="gpuqueue.commands.jobs:queue_manager_get_job",
    queue_manager_list_dead="gpuqueue.commands.dead_letters:queue_manager_list_dead",
    queue_manager_list_jobs="gpuqueue.commands.jobs:queue_manager_list_jobs",
    queue_manager_purge_dead="gpuqueue.commands.dead_letters:queue_manager_purge_dead",
    queue_manager_redrive="gpuqueue.commands.dead_letters:queue_manager_redrive",
    queue_manager_submit_job="gpuqueue.commands.submit:queue_manager_submit_job",
    rs_fancy_render="gpuqueue.commands.rs_fancy_render:rs_fancy_render",
)
