"""Every registered command is declared well and refuses what it does not know."""

import pytest

from gpuqueue.commands import COMMANDS
from gpuqueue.commands.documentation import describe_command
from gpuqueue.errors import InvalidJob

pytestmark = pytest.mark.parametrize("name", sorted(COMMANDS))


def test_a_command_bears_its_registered_name(name: str) -> None:
    assert COMMANDS.load(name).name == name


def test_its_documentation_is_whole(name: str) -> None:
    told = describe_command(COMMANDS.load(name))
    assert told["description"]
    assert told["returns"]
    for argument in told["arguments"]:
        assert argument["description"], argument["name"]
        assert argument["type"] != "any", argument["name"]


def test_an_unknown_parameter_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidJob, match=f"parameters of {name}: .*colour_of_magic: Extra"):
        COMMANDS.load(name).check({"colour_of_magic": "octarine"})
