"""Shaders that give texture coordinates: where in a texture a point lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gpuqueue.scene.arguments import Arguments
from gpuqueue.scene.textures.value import Step

_CLAMPED, _WRAPPED = 0, 1
_AXES = "xyz"


@dataclass(frozen=True)
class Coordinates:
    """Steps that leave a coordinate on the stack, and what meets at an image's borders there."""

    steps: tuple[Step, ...] = (Step("surface_coordinates"),)
    edges: tuple[int, int] = (_CLAMPED, _CLAMPED)


def vector(a: Arguments) -> Coordinates:
    """``mib_texture_vector``: the first texture space; others are not kept."""
    if a.scalar("select") != 0 or a.scalar("project") != 0:
        a.document.warnings(
            "'mib_texture_vector' gives the texture coordinates of the mesh, whatever it selects"
            " or projects",
            a.call.at,
        )
    return Coordinates()


def remap(a: Arguments, inner: Coordinates) -> Coordinates:
    """``mib_texture_remap``: transform and offset, then repeat, alternate, and crop to min and max.

    Repetition is within the unit interval; a torus, which is applied before, repeats that.
    """
    matrix = _matrix(a)
    repeat = [value or 1.0 for value in _three(a, "repeat", 0.0)]
    low, high = _three(a, "min", 0.0), _three(a, "max", 0.0)
    extent = [(end - begin) or 1.0 for begin, end in zip(low, high, strict=True)]
    alternate, torus = _flags(a, "alt_"), _flags(a, "torus_")
    step = Step(
        "remap",
        {
            "transform": matrix.ravel(),
            "repeat": repeat,
            "low": low,
            "extent": extent,
            "alternate": alternate,
            "torus": torus,
            "stretch": _stretch(matrix, repeat, extent),
        },
    )
    edges = [_edge(i, repeat[i], low[i], extent[i], alternate, torus) for i in range(2)]
    return Coordinates((*inner.steps, step), (edges[0], edges[1]))


def repeated(factor: float) -> Coordinates:
    """The mesh's coordinates times a factor, without end."""
    matrix = np.eye(4)[:3] * factor
    one = (1.0, 1.0, 1.0)
    operands = {
        "transform": matrix.ravel(),
        "repeat": one,
        "low": (0.0, 0.0, 0.0),
        "extent": one,
        "alternate": 0,
        "torus": 7,
        "stretch": abs(factor),
    }
    return Coordinates((*Coordinates().steps, Step("remap", operands)), (_WRAPPED, _WRAPPED))


def _matrix(a: Arguments) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Rows ``[3, 4]`` for column vectors; row vectors are what the scene transforms."""
    numbers = a.numbers("transform", 16)
    matrix = np.eye(4)
    if numbers is not None and len(numbers) == 16 and numbers[15] != 0:
        matrix = np.array(numbers).reshape(4, 4).T / numbers[15]
    matrix[:3, 3] += _three(a, "offset", 0.0)
    return matrix[:3]


def _three(a: Arguments, name: str, default: float) -> list[float]:
    numbers = a.numbers(name, 3)
    if numbers is None:
        return [default] * 3
    return list(numbers) if len(numbers) == 3 else [numbers[0]] * 3


def _flags(a: Arguments, prefix: str) -> int:
    return sum(1 << bit for bit, axis in enumerate(_AXES) if a.boolean(f"{prefix}{axis}"))


def _stretch(
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    repeat: list[float],
    extent: list[float],
) -> float:
    """By how much lengths in the texture grow: the root of what areas do."""
    area = np.linalg.det(matrix[:2, :2]) * repeat[0] * repeat[1] * extent[0] * extent[1]
    return math.sqrt(abs(float(area)))


def _edge(axis: int, copies: float, low: float, extent: float, alternate: int, torus: int) -> int:
    """Copies that stand side by side meet at the image's borders, unless they are mirrored."""
    is_whole = low == 0 and extent == 1
    repeats = bool(torus >> axis & 1) or abs(copies) > 1
    return _WRAPPED if is_whole and repeats and not alternate >> axis & 1 else _CLAMPED
