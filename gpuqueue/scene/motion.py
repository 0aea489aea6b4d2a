"""Where things stand while the shutter is open.

A matrix and a motion matrix hold at the times 0 and 1; the options' ``shutter`` says which part of
that time, or what beyond it, the picture shows. Between both the matrix changes linearly, as in
mental ray, and so do the kernels between two keys. With ``motion steps`` above 1 there are more
keys, and they follow the rotation: what leads from the one matrix to the other is parted into a
stretch, which changes linearly, and a turn about an axis, with its pivot, and along it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MAX_STEPS = 15
#: Keys of all instances together.
MAX_KEYS = 1 << 22
#: Radians below which a turn is none: it has no axis.
_LEAST_ANGLE = 1e-6


@dataclass(frozen=True)
class Shutter:
    """When it opens and closes; `steps` pieces of straight motion lie between."""

    opens: float = 0.0
    closes: float = 0.0
    steps: int = 1

    @property
    def blurs(self) -> bool:
        """Whether it is open for any time."""
        return self.closes > self.opens

    @property
    def times(self) -> Floats:
        """Times ``[steps + 1]`` of the keys."""
        return np.linspace(self.opens, self.closes, self.steps + 1)


@dataclass(frozen=True, eq=False)
class World:
    """World from element, for column vectors: `matrix` ``[N, 4, 4]`` where the shutter opens, and
    `keys` ``[M, K, 4, 4]`` of the rows that move, in order."""

    matrix: Floats
    moving: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    keys: Floats = field(default_factory=lambda: np.zeros((0, 2, 4, 4)))

    def keys_of(self, row: int) -> Floats | None:
        """Return the keys ``[K, 4, 4]`` of a row; None if it stands still."""
        place = int(np.searchsorted(self.moving, row))
        is_moving = place < len(self.moving) and self.moving[place] == row
        return self.keys[place] if is_moving else None


def keys_between(first: Floats, second: Floats, shutter: Shutter) -> Floats:
    """Return matrices ``[N, K, 4, 4]`` at the times of a shutter.

    `first` and `second` ``[N, 4, 4]``, world from object for column vectors, hold at 0 and 1.
    """
    if shutter.steps == 1:
        s = shutter.times[:, None, None]
        return (1 - s) * first[:, None] + s * second[:, None]
    moves = [
        _part_of_move(second @ np.linalg.inv(first), first, second, time) for time in shutter.times
    ]
    return np.stack(moves, axis=1)


def _part_of_move(move: Floats, first: Floats, second: Floats, s: float) -> Floats:
    """What has become of `first` at a time, on the way that ``move`` ends."""
    rotation, stretch, is_proper = _polar(move[:, :3, :3])
    axis, angle = _axis_and_angle(rotation)
    turn = _rotation(axis, s * angle)
    shift = move[:, :3, 3]
    part = np.zeros_like(move)
    part[:, :3, :3] = turn @ ((1 - s) * np.eye(3) + s * stretch)
    part[:, :3, 3] = _screw(shift, axis, angle, turn, s)
    part[:, 3, 3] = 1
    linear = (1 - s) * first + s * second
    return np.where(is_proper[:, None, None], part @ first, linear)


def _polar(linear: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Rotation and stretch whose product is each matrix; False where it mirrors."""
    u, sizes, v = np.linalg.svd(linear)
    rotation = u @ v
    is_proper = np.linalg.det(rotation) > 0
    rotation = np.where(is_proper[:, None, None], rotation, np.eye(3))
    return rotation, v.transpose(0, 2, 1) @ (sizes[:, :, None] * v), is_proper


def _axis_and_angle(rotation: Floats) -> tuple[Floats, Floats]:
    """Unit axes ``[N, 3]`` and angles ``[N]``, 0 to pi."""
    skew = rotation - rotation.transpose(0, 2, 1)
    sine = np.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], axis=1) / 2
    cosine = (np.trace(rotation, axis1=1, axis2=2) - 1) / 2
    length = np.linalg.norm(sine, axis=1)
    angle = np.arctan2(length, cosine)
    # Near half a turn the sine vanishes; the axis is then a column of R + R^T - (tr R - 1) 1.
    twice = rotation + rotation.transpose(0, 2, 1) - 2 * cosine[:, None, None] * np.eye(3)
    longest = np.linalg.norm(twice, axis=1).argmax(axis=1)
    column = twice[np.arange(len(twice)), :, longest]
    column = column * np.where((column * sine).sum(axis=1) < 0, -1, 1)[:, None]
    axis = np.where((cosine < 0)[:, None], column, sine)
    size = np.linalg.norm(axis, axis=1, keepdims=True)
    return axis / np.where(size > 0, size, 1), angle


def _rotation(axis: Floats, angle: Floats) -> Floats:
    """Rotations ``[N, 3, 3]`` by Rodrigues' formula."""
    x, y, z = axis.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.asarray(np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross), np.float64)


def _screw(shift: Floats, axis: Floats, angle: Floats, turn: Floats, s: float) -> Floats:
    """The shift of a part of a screw: along the axis in proportion, across it about the pivot."""
    along = (shift * axis).sum(axis=1, keepdims=True) * axis
    across = shift - along
    turns = angle > _LEAST_ANGLE
    cotangent = 1 / np.tan(np.where(turns, angle, 1) / 2)
    pivot = (across + cotangent[:, None] * np.cross(axis, across)) / 2
    about = pivot - np.einsum("nij,nj->ni", turn, pivot)
    return np.asarray(s * along + np.where(turns[:, None], about, s * across), np.float64)
