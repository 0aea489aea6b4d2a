"""The documents name everything that the code offers."""

import re
from pathlib import Path

import pytest

from gpuqueue.commands import COMMANDS
from gpuqueue.device import DEVICES
from gpuqueue.log import Event
from gpuqueue.queues import QUEUES
from gpuqueue.storage import STORAGES
from gpuqueue.tasks import TASKS

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
README = (ROOT / "README.md").read_text()

NAMES = sorted({*COMMANDS, *DEVICES, *QUEUES, *STORAGES, *TASKS, *Event})


@pytest.mark.parametrize("name", NAMES)
def test_every_name_and_event_is_in_the_architecture_document(name: str) -> None:
    assert f"`{name}`" in ARCHITECTURE


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_field_of_a_tasks_configuration_is_documented(name: str) -> None:
    for field in TASKS.load(name).Config.model_fields:
        assert f"`{field}`" in ARCHITECTURE, f"{name}: {field}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_parameter_of_a_command_says_what_it_is(name: str) -> None:
    command = COMMANDS.load(name)
    assert command.description
    for field, info in command.parameters.model_fields.items():
        assert info.description, f"{name}: {field} has no description"


def test_the_ci_script_runs_the_commands_of_the_readme() -> None:
    quick_start = README.partition("## Quick start")[2].partition("\n## ")[0]
    commands = re.findall(r"```sh\n(.*?)\n```", quick_start, re.DOTALL)
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert len(commands) == 2
    assert [c for c in commands if c in script] == commands


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
