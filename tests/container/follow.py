"""Follows Dockerfile.cuda step by step in a folder, where no container engine is at hand.

Each stage has a folder that stands for its file system. All stages use it under one path, a link
that is turned from one to the next: what a stage makes is found where it was made, and nowhere
once the stage is over. Absolute paths of the file are taken below that link, but for those of the
system itself.

What stands for a base image is this machine: its Python, whatever the version, its nvcc and its
C++ compiler; the last stage sees of the system what it brings itself, Python and a shell. A user
cannot be changed to: USER is noted, and programs that would change the machine are replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from .dockerfile import DockerfileError, Instruction, Stage

#: Folders that a base image has; every other absolute path is the stage's own.
_SYSTEM = ("bin", "dev", "etc", "lib", "proc", "sys", "usr")
_OWN_PATH = re.compile(rf"(?<![\w./])/(?=[A-Za-z])(?!(?:{'|'.join(_SYSTEM)})(?:/|\b))")
#: Of this machine's settings, what a build elsewhere would have its own of.
_PASSED = re.compile(r"PIP_.*|UV_.*|.*_proxy|.*_PROXY|SSL_.*|REQUESTS_.*|LANG|CMAKE_BUILD_.*")
#: In place of programs that would change the machine: they do what a folder can show of it.
_REPLACED = {
    "useradd": """#!/bin/sh
while [ $# -gt 0 ]; do
  if [ "$1" = --home-dir ]; then mkdir -p "$2"; fi
  shift
done
""",
}
STEP_S = 900


class Follower:
    """The folders of a build, and what its last stage says of how it is run."""

    def __init__(
        self,
        context: Path,
        folder: Path,
        tools: dict[str, list[Path]],
        say: Callable[[str], None] = print,
    ) -> None:
        """`tools` maps the beginning of an image's name to programs that the image has."""
        self._context = context
        self._folder = folder
        self._tools = tools
        self._say = say
        self._stages: dict[str, Path] = {}
        self._ignore = _ignored(context)
        #: Where the present stage's file system lies.
        self.root = folder / "root"
        self.user = ""
        self.workdir = self.root
        self.environment: dict[str, str] = {}

    def follow(self, stages: list[Stage]) -> None:
        """Take every step. Raises DockerfileError with the line of the first that fails."""
        for number, stage in enumerate(stages):
            self._begin(stage, is_last=number == len(stages) - 1)
            for instruction in stage.instructions:
                self._say(f"{instruction.line:3} {instruction.name} {instruction.text}")
                step = getattr(self, f"_{instruction.name.lower()}", None)
                if step is not None:
                    step(instruction)
        self._forget_but_last()

    def command(self, stage: Stage, arguments: list[str] | None = None) -> list[str]:
        """What runs in the image: its entry point, and CMD or the arguments in its place."""
        entry, default = stage.last("ENTRYPOINT"), stage.last("CMD")
        given = arguments if arguments is not None else default.words if default else []
        return self._here([*(entry.words if entry else []), *given])

    def health_check(self, stage: Stage) -> list[str]:
        """The command of HEALTHCHECK."""
        check = stage.last("HEALTHCHECK")
        match = re.search(r"\bCMD (\[.*\])$", check.text) if check else None
        if check is None or match is None:
            raise DockerfileError("no HEALTHCHECK with a command in exec form")
        return self._here(Instruction("CMD", match[1], check.line).words)

    def _here(self, words: list[str]) -> list[str]:
        """A command with its program looked up where the stage looks, not where we do."""
        program = shutil.which(words[0], path=self.environment["PATH"])
        if program is None:
            raise DockerfileError(f"{words[0]} is not on the PATH of the stage")
        return [program, *words[1:]]

    def _begin(self, stage: Stage, *, is_last: bool) -> None:
        self._say(f"FROM {stage.image} AS {stage.name}")
        place = self._folder / "stages" / stage.name
        (place / "tmp").mkdir(parents=True)
        self._stages[stage.name] = place
        self.root.unlink(missing_ok=True)
        self.root.symlink_to(place)
        self.workdir, self.user = self.root, ""
        system = [] if is_last else os.environ["PATH"].split(os.pathsep)
        self.environment = {
            **{name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)},
            "HOME": str(self.root / "root"),
            "TMPDIR": str(self.root / "tmp"),
            "PATH": os.pathsep.join([str(self._programs(stage)), *system]),
        }

    def _programs(self, stage: Stage) -> Path:
        """A folder with the programs that stand for those of the image."""
        found = [paths for image, paths in self._tools.items() if stage.image.startswith(image)]
        if not found:
            raise DockerfileError(f"nothing here stands for the image {stage.image}")
        folder = self._folder / "programs" / stage.name
        folder.mkdir(parents=True)
        for path in found[0]:
            # A script, not a link: nvcc and Python find their files by where they are.
            _write_program(folder / path.name, f'#!/bin/sh\nexec {path} "$@"\n')
        for name, text in _REPLACED.items():
            _write_program(folder / name, text.replace("mkdir", shutil.which("mkdir") or "mkdir"))
        return folder

    def _below_root(self, text: str) -> str:
        return _OWN_PATH.sub(f"{self.root}/", text)

    def _run(self, instruction: Instruction) -> None:
        text = self._below_root(instruction.text)
        command = self._here(instruction.words) if instruction.is_exec_form else ["/bin/sh", "-c"]
        if not instruction.is_exec_form:
            command.append(text)
        done = subprocess.run(
            command,
            cwd=self.workdir,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=STEP_S,
        )
        if done.returncode != 0:
            raise DockerfileError(f"line {instruction.line}: {text}\n{done.stdout}{done.stderr}")

    def _copy(self, instruction: Instruction) -> None:
        options = [word for word in instruction.words if word.startswith("--")]
        *sources, target = (word for word in instruction.words if not word.startswith("--"))
        origin, ignore = self._context, self._ignore
        for option in options:
            name, _, value = option.partition("=")
            if name != "--from" or value not in self._stages:
                known = ", ".join(self._stages)
                raise DockerfileError(f"line {instruction.line}: {option}; stages: {known}")
            origin, ignore = self._stages[value], []
        into = self._place(target)
        is_folder = target.endswith("/") or len(sources) > 1
        for source in sources:
            path = origin / source.lstrip("/")
            if not path.exists() or _is_ignored(path, origin, ignore):
                raise DockerfileError(f"line {instruction.line}: there is no {source} to copy")
            _copy(path, into, is_folder=is_folder, origin=origin, ignore=ignore)

    def _place(self, target: str) -> Path:
        """A path of the stage, from its root or its working folder."""
        return self.root / target.lstrip("/") if target.startswith("/") else self.workdir / target

    def _env(self, instruction: Instruction) -> None:
        for word in instruction.words:
            name, _, value = word.partition("=")
            own = self._below_root(value)
            self.environment[name] = re.sub(
                r"\$(\w+)", lambda match: self.environment.get(match[1], ""), own
            )

    def _workdir(self, instruction: Instruction) -> None:
        self.workdir = self._place(instruction.text)
        self.workdir.mkdir(parents=True, exist_ok=True)

    def _user(self, instruction: Instruction) -> None:
        self.user = instruction.text

    def _forget_but_last(self) -> None:
        """Remove what an image would not hold: it must stand on its own."""
        *others, _ = self._stages.values()
        for place in others:
            shutil.rmtree(place)


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _copy(path: Path, into: Path, *, is_folder: bool, origin: Path, ignore: list[str]) -> None:
    """What COPY does: of a folder its contents, of a file itself."""
    if path.is_dir():

        def left_out(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if _is_ignored(Path(folder, name), origin, ignore)]

        shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True, ignore=left_out)
        return
    target = into / path.name if is_folder else into
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def _ignored(context: Path) -> list[str]:
    file = context / ".dockerignore"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _is_ignored(path: Path, origin: Path, patterns: list[str]) -> bool:
    """Whether .dockerignore leaves a path out: the last pattern that fits it decides."""
    parts = path.relative_to(origin).parts
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        if any(_fits(prefix, wanted) for prefix in _prefixes(parts)):
            ignored = not pattern.startswith("!")
    return ignored


def _prefixes(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A path and the folders that it lies in: a pattern holds for all below what it fits."""
    return (parts[:count] for count in range(1, len(parts) + 1))


def _fits(parts: tuple[str, ...], pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(parts[-1], pattern.removeprefix("**/"))
    wanted = pattern.split("/")
    return len(wanted) == len(parts) and all(map(fnmatch, parts, wanted))
