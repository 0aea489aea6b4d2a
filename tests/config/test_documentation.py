"""docs/configuration.md names every directive, with the types and defaults of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from gpuqueue.config.settings import Url
from gpuqueue.config.shape import FILE, Shape

DOCUMENT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def shapes(shape: Shape = FILE, path: str = "") -> Iterator[tuple[str, Shape]]:
    """Every block of the file with its path; the file itself has an empty one."""
    yield path, shape
    for below, (_, inner) in shape.blocks.items():
        yield from shapes(inner, f"{path}/{below}".lstrip("/"))


def documented(path: str) -> dict[str, tuple[str, str, str]]:
    """Directive to type, default and meaning, from the table of one block's section."""
    heading = f"## `{path}`" if path else "## Outside of every block"
    section = DOCUMENT.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {name: (kind, default, meaning) for name, kind, default, meaning in rows}


def kind_of(field: FieldInfo) -> str:
    """The type of a directive's value, as the document words it."""
    annotation = field.annotation
    kinds = {annotation, *get_args(annotation)} - {NoneType}
    if get_origin(annotation) is Literal:
        return " ".join(f"`{name}`" for name in get_args(annotation))
    if bool in kinds:
        return "`on` or `off`"
    if kinds & {int, float}:
        return f"{'integer' if int in kinds else 'number'}{bounds_of(field)}"
    if Path in kinds:
        return "path"
    if SecretStr in kinds or any(SecretStr in get_args(kind) for kind in kinds):
        return "secret"
    is_url = get_args(Url)[1] in [*field.metadata, *(m for k in kinds for m in get_args(k)[1:])]
    return "address" if is_url else "word"


def bounds_of(field: FieldInfo) -> str:
    bounds = {type(rule): rule for rule in field.metadata}
    low = next((f" {b.ge}" for k, b in bounds.items() if k is annotated_types.Ge), "")
    low = low or next((f" above {b.gt}" for k, b in bounds.items() if k is annotated_types.Gt), "")
    high = next((f" to {b.le}" for k, b in bounds.items() if k is annotated_types.Le), " or more")
    return f",{low}{high}" if low else ""


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: Any = field.default
    if default is None or default in (frozenset(), ()):
        return "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return "the file's folder" if default == Path() else str(default)


@pytest.mark.parametrize(("path", "shape"), list(shapes()), ids=lambda value: "")
def test_every_directive_is_documented_as_the_code_has_it(path: str, shape: Shape) -> None:
    table = documented(path)
    assert set(table) == set(shape.directives)
    for name, (kind, default, _) in table.items():
        field = shape.model.model_fields[shape.directives[name]]
        if name in shape.compound:
            continue
        expected = kind_of(field) + (", repeatable" if name in shape.repeatable else "")
        assert (name, kind, default) == (name, expected, default_of(field))


def test_every_field_of_the_settings_can_be_set_from_the_file() -> None:
    for path, shape in shapes():
        blocks = {field for field, _ in shape.blocks.values()}
        reachable = {*shape.directives.values(), *blocks, *shape.implied}
        assert set(shape.model.model_fields) == reachable, f"block {path or 'outside'}"
