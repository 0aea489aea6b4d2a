"""User commands: the Python files of the folders that the configuration names.

The files are code of the server's operator: they run with the server's rights. Names that begin
with an underscore are left alone, so that a folder may hold helpers and notes.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from gpuqueue.commands import COMMANDS
from gpuqueue.commands.base import Command
from gpuqueue.config import Settings
from gpuqueue.errors import ConfigError
from gpuqueue.log import Category, Event, EventLogger
from gpuqueue.registry import Registry

log = EventLogger(Category.CONFIG)


def commands_for(settings: Settings) -> Registry[Command[Any]]:
    """Every command of this server: the built-in ones and those of its folders.

    The folders are read once in a process. Raises ConfigError, naming file and line, for a
    folder or file that cannot be read and for a name that is taken.
    """
    return _commands_of(settings.command_folders)


@cache
def _commands_of(folders: tuple[Path, ...]) -> Registry[Command[Any]]:
    registry = COMMANDS.copy()
    for folder in folders:
        for path in _python_files(folder):
            for command in _commands_in(_load(path)):
                _add(registry, command, path)
    return registry


def _python_files(folder: Path) -> list[Path]:
    try:
        files = [path for path in folder.iterdir() if path.suffix == ".py" and path.is_file()]
    except OSError as error:
        raise ConfigError(f"command folder {folder}: {error.strerror}") from error
    return sorted(path.resolve() for path in files if not path.name.startswith("_"))


def _load(path: Path) -> ModuleType:
    """Import the file under a name that no package can have."""
    name = f"gpuqueue user command {path}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    # Dataclasses and pydantic look up a class's module by its name while the file still runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{_place(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _place(error: Exception, path: Path) -> str:
    """``file:line`` of the last line of `path` that the error passed through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _commands_in(module: ModuleType) -> list[Command[Any]]:
    """The commands that a module defines, not those it imports."""
    found = {
        id(value): value
        for value in vars(module).values()
        if isinstance(value, Command) and value.function.__module__ == module.__name__
    }
    return list(found.values())


def _add(registry: Registry[Command[Any]], command: Command[Any], path: Path) -> None:
    line = inspect.unwrap(command.function).__code__.co_firstlineno
    try:
        registry.add(command.name, command)
    except ConfigError as error:
        raise ConfigError(f"{path}:{line}: {error}") from error
    log.event(
        Event.COMMAND_LOADED,
        f"Command {command.name} loaded from {path}.",
        command=command.name,
        path=str(path),
    )
