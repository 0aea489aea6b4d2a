"""A command's documentation comes from its declaration."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from gpuqueue.commands import CommandContext, Parameters, command
from gpuqueue.commands.documentation import describe_command


class Region(BaseModel):
    x: int


class PaintParameters(Parameters):
    """Parameters of a command that is only described."""

    scene_file: str = Field(description="The scene.")
    width: int = Field(64, description="In pixels.")
    ratio: float | None = Field(None, description="Height to width.")
    format: Literal["png", "jpg"] = Field("png", description="Of the file.")
    only: Literal["this"] = Field("this", description="No choice.")
    regions: tuple[Region, ...] = Field((), description="What to paint.")
    extra: dict[str, Any] = Field({}, description="The rest.")
    anything: Any = Field(None, description="Whatever.")


@command("paint", parameters=PaintParameters, returns="a picture", groups=("demo",))
def paint(parameters: PaintParameters, context: CommandContext) -> None:
    """Paint a picture.

    At length.
    """


def test_a_command_is_described_whole() -> None:
    told = describe_command(paint)
    assert told["name"] == "paint"
    assert told["description"] == "Paint a picture.\n\nAt length."
    assert (told["groups"], told["returns"]) == (["demo"], "a picture")
    assert told["queueable"] is True


@pytest.mark.parametrize(
    ("name", "type_", "default", "choices"),
    [
        ("scene_file", "string", None, None),
        ("width", "integer", 64, None),
        ("ratio", "number|null", None, None),
        ("format", "string", "png", ["png", "jpg"]),
        ("only", "string", "this", ["this"]),
        ("regions", "array of object", [], None),
        ("extra", "object", {}, None),
        ("anything", "any", None, None),
    ],
)
def test_an_argument_has_type_default_and_choices(
    name: str, type_: str, default: Any, choices: list[str] | None
) -> None:
    arguments: Any = describe_command(paint)["arguments"]
    [argument] = [argument for argument in arguments if argument["name"] == name]
    assert argument["type"] == type_
    assert argument["default"] == default
    assert argument["choices"] == choices
    assert argument["required"] is (name == "scene_file")
    assert argument["description"] == PaintParameters.model_fields[name].description
