"""A Dockerfile as data: stages of instructions, as far as this project's file needs it.

::

    file        = stage+
    stage       = "FROM" IMAGE ["AS" NAME] instruction*
    instruction = NAME text          a backslash at the end of a line continues it; "#" comments
    text        = JSON list of words (exec form), or what a shell reads (shell form)
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = frozenset(
    ["FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"],
)


class DockerfileError(Exception):
    """The file cannot be read, or cannot be followed; the text names its line."""


@dataclass(frozen=True)
class Instruction:
    """One instruction and the number of its first line."""

    name: str
    text: str
    line: int

    @property
    def is_exec_form(self) -> bool:
        """Whether no shell reads it."""
        return self.text.startswith("[")

    @property
    def words(self) -> list[str]:
        """The words of either form, before variables are replaced."""
        if not self.is_exec_form:
            return shlex.split(self.text)
        try:
            words = json.loads(self.text)
        except ValueError as error:
            raise DockerfileError(f"line {self.line}: not a JSON list: {self.text}") from error
        return [str(word) for word in words]


@dataclass(frozen=True)
class Stage:
    """What one FROM begins."""

    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Every instruction of a name, in order."""
        return [instruction for instruction in self.instructions if instruction.name == name]

    def last(self, name: str) -> Instruction | None:
        """The one of a name that counts, or None."""
        found = self.all(name)
        return found[-1] if found else None


def parse(text: str) -> list[Stage]:
    """The stages of a file. Raises DockerfileError."""
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            stages.append(_stage(instruction, len(stages)))
        elif not stages:
            raise DockerfileError(f"line {instruction.line}: {instruction.name} before any FROM")
        else:
            stages[-1].instructions.append(instruction)
    if not stages:
        raise DockerfileError("no FROM in the file")
    return stages


def read(path: Path) -> list[Stage]:
    """The stages of the file at `path`."""
    return parse(path.read_text())


def _instructions(text: str) -> list[Instruction]:
    found = []
    whole, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if whole else number
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        name, _, rest = whole.strip().partition(" ")
        if name not in KNOWN:
            raise DockerfileError(f"line {first}: {name} is not followed; known: {sorted(KNOWN)}")
        found.append(Instruction(name, rest.strip(), first))
        whole = ""
    if whole:
        raise DockerfileError(f"line {first}: goes on beyond the end of the file")
    return found


def _stage(instruction: Instruction, number: int) -> Stage:
    match = re.fullmatch(r"(\S+)(?:\s+AS\s+(\S+))?", instruction.text)
    if match is None:
        raise DockerfileError(f"line {instruction.line}: expected FROM IMAGE [AS NAME]")
    return Stage(match[1], match[2] or str(number))
