"""From a configuration file's tree to checked settings; every error names its line."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gpuqueue.config.parser import Block, Directive, Place, parse_file
from gpuqueue.config.settings import Misfit, Settings, embedded_settings
from gpuqueue.config.shape import FILE, Shape
from gpuqueue.errors import ConfigError
from gpuqueue.log import Category, Event, EventLogger

log = EventLogger(Category.CONFIG)


def load_settings(path: Path | None) -> Settings:
    """The settings of a configuration file; without one, those of the embedded default.

    Relative paths in the file are relative to its folder. Raises ConfigError, beginning with
    ``file:line:``. What the file holds beyond our directives is logged, one line each kind.
    """
    if path is None:
        here = Path.cwd()
        return embedded_settings(here / "gpuqueue-data", content_root=here)
    reader = _Reader(path.absolute().parent)
    settings = reader.read(FILE, [parse_file(path)])
    reader.log_notes()
    assert isinstance(settings, Settings)  # noqa: S101 (what FILE fills)
    # The default, too, is relative to the file.
    return settings.model_copy(update={"content_root": reader.folder / settings.content_root})


@dataclass
class _Form:
    """The values of one block as the file gives them, and where each stood."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class _Reader:
    """Fills models from blocks; remembers where values stood and what it did not know."""

    folder: Path
    #: Lines that a rule between blocks may refer to, by what `Misfit.where` says.
    places: dict[tuple[str, ...], Place] = field(default_factory=dict)
    unknown: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    warnings: list[str] = field(default_factory=list)

    def read(self, shape: Shape, parts: list[Block]) -> BaseModel:
        """The model of one block; the file may give it in several parts."""
        form = _Form()
        for part in parts:
            for child in part.children:
                if isinstance(child, Directive):
                    self._read_directive(shape, part, child, form)
        found: dict[str, list[Block]] = defaultdict(list)
        for path, block in self._blocks(shape, parts):
            found[path].append(block)
        for path, blocks in found.items():
            name, inner = shape.blocks[path]
            if shape.is_repeated(path):
                form.values[name] = tuple(self.read(inner, [block]) for block in blocks)
            else:
                form.values[name] = self.read(inner, blocks)
        return self._build(shape, form, parts[0])

    def _read_directive(self, shape: Shape, block: Block, line: Directive, form: _Form) -> None:
        """Put one directive's value into the form."""
        known = shape.directives
        if line.key not in known:
            self._note_unknown(f"directive '{line.key}' in {block}", line.key, known, line.place)
            return
        if line.key not in shape.repeatable and (earlier := form.places[line.key]):
            raise ConfigError(
                f"{line.place}: {line.key} is given twice in {block}, first at {earlier[0]}"
            )
        if line.value != line.value.rstrip():
            self.warnings.append(f"{line.place}: the value of {line.key} ends in white space")
        try:
            values = self._convert(shape, line)
        except ValueError as error:
            raise ConfigError(f"{line.place}: {line.key}: {error}") from None
        for target in {line.key, *values}:
            form.places[target].append(line.place)
        for target, value in values.items():
            if line.key in shape.repeatable:
                form.values.setdefault(target, []).append(value)
            else:
                form.values[target] = value
        self.places[block.name.lower(), line.key] = line.place
        if line.key == "name":
            self.places[block.name.lower(), "name", line.value] = line.place

    def _convert(self, shape: Shape, line: Directive) -> dict[str, object]:
        """Fields and values of a directive. Raises ValueError saying what was expected."""
        if not line.value:
            raise ValueError("expected a value")
        if line.key in shape.compound:
            return shape.compound[line.key](line.value)
        name = shape.directives[line.key]
        annotation = shape.model.model_fields[name].annotation
        kinds = {annotation, *get_args(annotation)}
        if bool in kinds:
            return {name: _flag(line.value)}
        return {name: self.folder / line.value if Path in kinds else line.value}

    def _blocks(
        self, shape: Shape, parts: list[Block], above: str = ""
    ) -> Iterator[tuple[str, Block]]:
        """Path and block of all known blocks; those that only hold others are looked into."""
        for part in parts:
            for block in (child for child in part.children if isinstance(child, Block)):
                path = above + block.name.lower()
                if block.key == "user" and path in shape.blocks:
                    yield path, block
                elif block.key == "user" and any(p.startswith(f"{path}/") for p in shape.blocks):
                    for child in block.children:
                        if isinstance(child, Directive):
                            what = f"directive '{child.key}' in {block}"
                            self._note_unknown(what, child.key, [], child.place)
                    yield from self._blocks(shape, [block], f"{path}/")
                else:
                    known = {p.removeprefix(above).split("/")[0] for p in shape.blocks}
                    self._note_unknown(f"block {block}", block.name, known, block.place)

    def _note_unknown(self, what: str, name: str, known: Iterable[str], place: Place) -> None:
        self.unknown[what].append(place)
        similar = get_close_matches(name, known, n=1, cutoff=0.8)
        if similar:
            self.warnings.append(f"{place}: unknown {what}; did you mean '{similar[0]}'?")

    def log_notes(self) -> None:
        """Log what is not used, one line each kind, and what is probably a mistake."""
        for what, places in self.unknown.items():
            times = f", {len(places)} times" if len(places) > 1 else ""
            log.event(Event.CONFIG_NOTE, f"{places[0]}: {what} is not used{times}")
        for warning in self.warnings:
            log.event(Event.CONFIG_NOTE, warning, level=logging.WARNING)

    def _build(self, shape: Shape, form: _Form, block: Block) -> BaseModel:
        try:
            return shape.model.model_validate(form.values)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        # Outside the handler: pydantic's error holds the values, which may be secrets.
        raise ConfigError("\n".join(self._explain(detail, form, block) for detail in details))

    def _explain(self, detail: ErrorDetails, form: _Form, block: Block) -> str:
        """One line for one wrong value: its place, its directive, what was expected."""
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Misfit):
            return f"{self.places.get(cause.where, block.place)}: {cause}"
        name, *index = detail["loc"]
        if detail["type"] == "missing":
            return f"{block.place}: expected the directive {name} in {block}"
        places = form.places[str(name)]
        place = places[index[0]] if index and isinstance(index[0], int) else places[-1]
        return f"{place}: {name}: {cause or detail['msg']}"


def _flag(value: str) -> bool:
    try:
        return {"on": True, "off": False}[value.lower()]
    except KeyError:
        raise ValueError("expected on or off") from None
