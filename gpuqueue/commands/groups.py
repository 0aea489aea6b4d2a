"""The jobs of one submit of several frames, by JSON-RPC: how far they are, and cancelling them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from gpuqueue.binary import JsonValue
from gpuqueue.commands.base import CommandContext, Parameters, command
from gpuqueue.commands.jobs import as_it_is, cancel_job
from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.records import Group, JobRecord, State, get_all, kept_records


def find_group(settings: Settings, group_id: str) -> Group:
    """The group. Raises InvalidJob if there is none, ConfigError if no records are kept."""
    group = Group.load(kept_records(settings), group_id)
    if group is None:
        raise InvalidJob(f"no group '{group_id}' is kept here")
    return group


def jobs_of(settings: Settings, group: Group) -> list[JobRecord]:
    """The records of a group's jobs, in the order of its frames."""
    found = get_all(kept_records(settings), group.jobs)
    return [as_it_is(settings, record) for record in found]


def progress_of(records: Sequence[JobRecord]) -> float:
    """The mean of what is done of each job, 0 to 1; a job that has ended is done."""
    if not records:
        return 0.0
    return sum(1.0 if r.state.is_final else _fraction(r) for r in records) / len(records)


def states_of(records: Sequence[JobRecord]) -> dict[State, int]:
    """How many jobs are in each state that occurs."""
    return dict(Counter(record.state for record in records))


def cancel_group(settings: Settings, group_id: str) -> dict[State, int]:
    """Cancel what has not ended of a group; the states after that. Raises as `find_group`."""
    group = find_group(settings, group_id)
    return states_of([cancel_job(settings, job_id) for job_id in group.jobs])


def _fraction(record: JobRecord) -> float:
    is_on_its_way = record.state is State.RUNNING and record.progress is not None
    return record.progress.fraction if is_on_its_way and record.progress else 0.0


class GroupParameters(Parameters):
    """What names one group."""

    group_id: str = Field(
        pattern=r"^[A-Za-z0-9-]{1,100}$", description="The group's id, as submit returned it."
    )


@command(
    "queue_manager_get_group",
    parameters=GroupParameters,
    returns="an object: group, progress (0 to 1), states (how many jobs are in each), device_s, "
    "cost, and jobs, an array of objects with frame, job_id, state, progress and results",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
)
def queue_manager_get_group(
    parameters: GroupParameters, context: CommandContext
) -> dict[str, JsonValue]:
    """Tell how far the jobs of one submit of several frames are."""
    group = find_group(context.settings, parameters.group_id)
    records = jobs_of(context.settings, group)
    costs = [record.cost for record in records if record.cost is not None]
    return {
        "group": group.id,
        "progress": progress_of(records),
        "states": {str(state): count for state, count in states_of(records).items()},
        "device_s": sum(record.device_s for record in records),
        "cost": sum(costs) if costs else None,
        "jobs": [
            {
                "frame": record.frame,
                "job_id": record.id,
                "state": str(record.state),
                "progress": _fraction(record),
                "results": list(record.results),
            }
            for record in records
        ],
    }


@command(
    "queue_manager_cancel_group",
    parameters=GroupParameters,
    returns="an object: how many jobs are in each state now",
    groups=("queue_manager",),
    queueable=False,
    direct=True,
    changes=True,
)
def queue_manager_cancel_group(
    parameters: GroupParameters, context: CommandContext
) -> dict[str, JsonValue]:
    """Cancel all jobs of one submit of several frames that have not ended."""
    states = cancel_group(context.settings, parameters.group_id)
    return {str(state): count for state, count in states.items()}
