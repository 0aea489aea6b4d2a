"""User commands: loaded from folders, every error with its file and line."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from gpuqueue.commands import COMMANDS
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.folders import commands_for
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError, InvalidJob, UnknownName

GREET = '''\
"""Greets."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from gpuqueue.commands import CommandContext, Parameters, command
from gpuqueue.commands.get_version import get_version


@dataclass
class Greeting:
    text: str


class GreetParameters(Parameters):
    who: str = Field(description="Whom to greet.")


@command("greet", parameters=GreetParameters, returns="a greeting")
def greet(parameters: GreetParameters, context: CommandContext) -> str:
    """Greet somebody."""
    return Greeting(f"hello {parameters.who}").text


alias = greet
'''


def settings_with(folder: Path, **files: str) -> Settings:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return Settings(command_folders=(folder,))


def test_a_file_adds_its_commands_and_not_those_it_imports(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_with(tmp_path, greet=GREET)
    with caplog.at_level(logging.INFO, "gpuqueue"):
        assert RunContext(settings).call("greet", {"who": "you"}) == "hello you"
    assert f"Command greet loaded from {tmp_path / 'greet.py'}." in caplog.messages
    assert set(commands_for(settings)) == {*COMMANDS, "greet"}


def test_the_built_in_commands_stay_as_they_are(tmp_path: Path) -> None:
    commands_for(settings_with(tmp_path, greet=GREET))
    assert "greet" not in COMMANDS
    assert "greet" not in commands_for(Settings())


def test_folders_are_read_once(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, greet=GREET)
    assert commands_for(settings) is commands_for(settings.model_copy())


def test_a_wrong_call_says_what_is_wrong(tmp_path: Path) -> None:
    context = RunContext(settings_with(tmp_path, greet=GREET))
    with pytest.raises(InvalidJob, match="parameters of greet: who: Field required"):
        context.call("greet", {})
    with pytest.raises(UnknownName, match="unknown command 'greed'; known: get_version, greet,"):
        context.call("greed", {})


def test_files_with_an_underscore_and_other_files_are_left_alone(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, _helper="1 / 0")
    (tmp_path / "notes.txt").write_text("not Python")
    (tmp_path / "folder.py").mkdir()
    assert set(commands_for(settings)) == set(COMMANDS)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a = 1\nb = (\n", 2, "SyntaxError"),
        ("import json\n\n\ndef f():\n    return {}['x']\n\n\nf()\n", 5, "KeyError: 'x'"),
        ("\nimport nothing_of_this_name\n", 2, "ModuleNotFoundError"),
        ("from pathlib import Path\n\nPath('/does/not/exist').read_text()\n", 3, "FileNotFound"),
        (GREET.replace('"greet"', '"get_version"', 1), 22, "'get_version' is already registered"),
        (GREET.replace(', returns="a greeting"', ""), 22, "TypeError"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    settings = settings_with(tmp_path, broken=text)
    with pytest.raises(ConfigError) as caught:
        commands_for(settings)
    assert str(caught.value).startswith(f"{tmp_path / 'broken.py'}:{line}: ")
    assert why in str(caught.value)


def test_two_files_may_not_share_a_name(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, a=GREET, b=GREET)
    with pytest.raises(ConfigError, match=r"b\.py:22: command 'greet' is already registered"):
        commands_for(settings)


def test_two_folders_may_have_files_of_one_name(tmp_path: Path) -> None:
    one = settings_with(tmp_path / "one", greet=GREET)
    two = settings_with(tmp_path / "two", greet=GREET.replace('"greet"', '"greet_too"'))
    both = Settings(command_folders=(*one.command_folders, *two.command_folders))
    assert {"greet", "greet_too"} <= set(commands_for(both))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"command folder .*nowhere: No such file"):
        commands_for(Settings(command_folders=(tmp_path / "nowhere",)))


def test_a_broken_file_leaves_no_module_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        commands_for(settings_with(tmp_path, broken="1 / 0"))
    assert not [name for name in sys.modules if str(tmp_path) in name]
