"""Values that vary over a surface: the kernels' steps (kernels/textures/steps.cuh), and reckoning
with them as with constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Color: TypeAlias = tuple[float, float, float]
Four: TypeAlias = tuple[float, float, float, float]

#: The kernels' stack (STACK_DEPTH in kernels/textures/value.cuh).
MAX_DEPTH = 8
MAX_STEPS = 256

#: What a step adds to the number of values on the stack; others change the uppermost.
_GROWTH = {
    "surface_coordinates": 1,
    "constant": 1,
    "product": -1,
    "mix": -2,
    "set_color": -1,
    "set_number": -1,
}


@dataclass(frozen=True)
class Step:
    """A step by its name in the kernels, and its operands."""

    kind: str
    operands: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Texture:
    """Steps that leave one value on the stack, red, green, blue and alpha, and its mean, about."""

    steps: tuple[Step, ...]
    mean: Four

    def then(self, step: Step, mean: Four) -> Texture:
        """Return this with another step."""
        return Texture((*self.steps, step), mean)

    @property
    def is_constant(self) -> bool:
        """Whether it is its mean everywhere."""
        return all(step.kind != "surface_coordinates" for step in self.steps)

    @property
    def depth(self) -> int:
        """The most values that are on the stack at once."""
        deepest = height = 0
        for step in self.steps:
            height += _GROWTH.get(step.kind, 0)
            deepest = max(deepest, height)
        return deepest


#: A colour or number, constant or not. Numbers are the same in all channels of a texture.
Varying: TypeAlias = "Color | float | Texture"


def constant(value: Four) -> Texture:
    """Return a texture that is the same everywhere."""
    return Texture((Step("constant", {"value": value}),), value)


def mean_of(value: Varying) -> Color:
    """Return a value's mean colour."""
    if isinstance(value, Texture):
        return value.mean[:3]
    return value if isinstance(value, tuple) else (value, value, value)


def brightest(value: Varying) -> float:
    """Return the largest component of a value's mean."""
    return max(mean_of(value))


def product(a: Varying, b: Varying) -> Color | Texture:
    """Return the product of two values."""
    (r, g, b_), (x, y, z) = mean_of(a), mean_of(b)
    mean = (r * x, g * y, b_ * z)
    if isinstance(a, Texture) and isinstance(b, Texture):
        return Texture((*a.steps, *b.steps, Step("product")), (*mean, a.mean[3] * b.mean[3]))
    if isinstance(a, Texture):
        return _affine(a, (x, y, z), 0.0)
    if isinstance(b, Texture):
        return _affine(b, (r, g, b_), 0.0)
    return mean


def multiplied(value: Texture, factor: float) -> Texture:
    """Return a texture's colours times a number."""
    return _affine(value, (factor, factor, factor), 0.0)


def limited(value: Color | Texture) -> Color | Texture:
    """Return a reflectance: no more light may leave than arrives."""
    if isinstance(value, Texture):
        r, g, b, a = (min(max(channel, 0.0), 1.0) for channel in value.mean)
        return value.then(Step("bounded", {"low": 0.0, "high": 1.0}), (r, g, b, a))
    r, g, b = (min(channel, 1.0) for channel in value)
    return r, g, b


def as_number(value: Texture) -> Texture:
    """Return the mean of red, green and blue, in all channels."""
    grey = sum(value.mean[:3]) / 3
    return value.then(Step("mean"), (grey, grey, grey, grey))


def alpha_of(value: Texture) -> Texture:
    """Return a texture's alpha, in all channels."""
    return value.then(Step("alpha"), (value.mean[3],) * 4)


def less_from_one(value: float | Texture) -> float | Texture:
    """Return 1 - value."""
    if isinstance(value, Texture):
        return _affine(value, (-1.0, -1.0, -1.0), 1.0)
    return 1.0 - value


def squared(value: float | Texture) -> float | Texture:
    """Return a number times itself."""
    if isinstance(value, Texture):
        r, g, b, a = (channel**2 for channel in value.mean)
        return value.then(Step("square"), (r, g, b, a))
    return value**2


def _affine(value: Texture, scale: Color, offset: float) -> Texture:
    r, g, b, alpha = value.mean
    mean = (r * scale[0] + offset, g * scale[1] + offset, b * scale[2] + offset, alpha)
    operands = {"scale": (*scale, 1.0), "offset": (offset, offset, offset, 0.0)}
    return value.then(Step("affine", operands), mean)
