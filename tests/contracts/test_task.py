"""Every registered task is declared well and refuses what it does not know."""

import pytest

from gpuqueue.config import Settings
from gpuqueue.errors import InvalidJob
from gpuqueue.job import TaskCall
from gpuqueue.tasks import TASKS, parse_config, prepare_tasks

pytestmark = pytest.mark.parametrize("name", sorted(TASKS))


def test_a_task_bears_its_registered_name(name: str) -> None:
    assert TASKS.load(name).name == name


def test_every_field_of_its_configuration_is_described(name: str) -> None:
    for field, info in TASKS.load(name).Config.model_fields.items():
        assert info.description, field


def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidJob, match=f"config of task {name}: .*colour: Extra"):
        parse_config(TASKS.load(name), {"colour": "red"})


def test_a_wrong_task_is_named_by_its_place_in_the_job(name: str) -> None:
    with pytest.raises(InvalidJob, match=r"tasks\[0\]: config of task"):
        prepare_tasks([TaskCall(name=name, config={"colour": "red"})], Settings())
