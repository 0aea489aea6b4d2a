"""What a scene and its film take of a device's memory: a table, made before anything is uploaded.

A buffer that does not fit would be noticed by the driver too, but late, after minutes of building
and copying, and without a word of what the rest would have taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuqueue.device.film import pixel_bytes
from gpuqueue.errors import OutOfMemory

if TYPE_CHECKING:
    from gpuqueue.scene import SceneBuffers

#: Rows that an error shows; the smaller ones are added up.
_SHOWN_ROWS = 6

# Of a triangle, for an estimate: its face (kernels/face.cuh), and its share of the compressed
# accelerator: a 48-byte block, and as a rule three triangles to each 80-byte node.
_FACE_BYTES, _BLOCK_BYTES, _NODE_BYTES = 64, 48, 27
_INSTANCE_FACES_BYTES, _PLACEMENT_BYTES = 28, 112


@dataclass(frozen=True)
class Memory:
    """Bytes that a device has, and that it can still give.

    `reserve` bytes of those that are free stay for the driver and for the stacks of kernels.
    """

    total: int
    free: int
    reserve: int = 0

    @property
    def usable(self) -> int:
        """Bytes that scenes and films may take now."""
        return max(0, self.free - self.reserve)


@dataclass(frozen=True)
class Need:
    """One row: what takes memory, and how many bytes."""

    what: str
    nbytes: int


Needs = tuple[Need, ...]


def sum_of(needs: Sequence[Need]) -> int:
    """Bytes of all rows."""
    return sum(need.nbytes for need in needs)


def scene_needs(values: Mapping[str, Any]) -> Needs:
    """Rows for the arrays among the fields of a job; a nested record is one row."""
    rows = (Need(name.replace("_", " "), _array_bytes(value)) for name, value in values.items())
    return tuple(row for row in rows if row.nbytes)


def film_needs(width: int, height: int) -> Needs:
    """Rows for a film, and for its copy that is read while the next samples are taken."""
    nbytes = width * height * pixel_bytes()
    return Need(f"film of {width} x {height} pixels", nbytes), Need("film being read", nbytes)


def estimated_needs(scene: SceneBuffers, fields: Sequence[str]) -> Needs:
    """The rows of a scene before its acceleration structure is built, on a GPU.

    `fields` are those of the scene that a job points to. What is built is reckoned by the number of
    triangles: an object used once and one used a thousand times have them once.
    """
    triangles, instances = len(scene.triangles), len(scene.instances)
    built = {
        "acceleration structure": triangles * (_BLOCK_BYTES + _NODE_BYTES)
        + instances * _PLACEMENT_BYTES,
        "faces": triangles * _FACE_BYTES,
        "instance faces": instances * _INSTANCE_FACES_BYTES,
        "light faces": len(scene.lights) * _FACE_BYTES,
    }
    return (
        *(Need(what, nbytes) for what, nbytes in built.items() if nbytes),
        *scene_needs({name: getattr(scene, name) for name in fields}),
    )


def require(needs: Sequence[Need], memory: Memory, purpose: str, device: str) -> None:
    """Raise OutOfMemory, with all numbers and what to do, unless the rows fit."""
    wanted = sum_of(needs)
    if wanted <= memory.usable:
        return
    raise OutOfMemory(
        f"{purpose} needs {size_text(wanted)}, but {device} has {size_text(memory.usable)} to "
        f"give: {size_text(memory.free)} free of {size_text(memory.total)}, less "
        f"{size_text(memory.reserve)} kept for the driver and the kernels' stacks. "
        f"Needed: {_listed(needs)}. {_advice(wanted, memory)}"
    )


def size_text(count: float) -> str:
    """Bytes in GiB, or in MiB below one GiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _array_bytes(value: Any) -> int:
    """Bytes of an array, or of all arrays in a record."""
    if isinstance(value, Mapping):
        return sum(map(_array_bytes, value.values()))
    return value.nbytes if isinstance(value, np.ndarray) else 0


def _listed(needs: Sequence[Need]) -> str:
    rows = sorted(needs, key=lambda need: -need.nbytes)
    rest = rows[_SHOWN_ROWS:]
    if rest:
        rows = [*rows[:_SHOWN_ROWS], Need(f"{len(rest)} others", sum_of(rest))]
    return ", ".join(f"{row.what} {size_text(row.nbytes)}" for row in rows)


def _advice(wanted: int, memory: Memory) -> str:
    if wanted <= memory.total - memory.reserve:
        return "End what else uses the device's memory."
    return (
        f"Use a device with {size_text(wanted + memory.reserve)} or more, or a smaller film, or "
        f"place repeated objects as instances of one."
    )
