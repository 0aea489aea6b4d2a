"""Images and the steps of textures as the kernels read them (kernels/textures)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuqueue.errors import InvalidJob
from gpuqueue.scene.textures.image_library import Image
from gpuqueue.scene.textures.picture import Picture, linear_from_srgb_bytes, mip_levels
from gpuqueue.scene.textures.value import Step, Texture

Layouts = Mapping[str, "np.dtype[np.void]"]
Records = NDArray[np.void]

#: Images begin at a multiple of this in the texels, operands in the parameters.
ALIGNMENT = 16
NO_MORE_STEPS = 0xFFFFFFFF
_BYTE, _SRGB_BYTE, _HALF = 0, 1, 2


class ParameterBlock:
    """Bytes of many records, each aligned."""

    def __init__(self) -> None:
        self._block = bytearray()

    def add(self, record: NDArray[np.void]) -> int:
        """Keep a record; return its byte offset."""
        offset = len(self._block)
        self._block += record.tobytes()
        self._block += bytes(-len(self._block) % ALIGNMENT)
        return offset

    def array(self) -> NDArray[np.uint8]:
        """Return all records so far."""
        return np.frombuffer(bytes(self._block), np.uint8)


@dataclass
class StepTable:
    """TextureStep records of many textures; at place 0 there are none."""

    layouts: Layouts
    operands: ParameterBlock
    rows: list[tuple[int, int]] = field(default_factory=lambda: [(NO_MORE_STEPS, 0)])

    def add(self, steps: Sequence[Step]) -> int:
        """Keep steps and their end; return the place of the first, 0 for none.

        Raises InvalidJob for a step that the kernels do not have.
        """
        if not steps:
            return 0
        first = len(self.rows)
        self.rows += [(self._kind(step), self.operands.add(self._record(step))) for step in steps]
        self.rows.append((NO_MORE_STEPS, 0))
        return first

    def _kind(self, step: Step) -> int:
        known = self.layouts["TextureSteps"].names or ()
        if step.kind not in known:
            raise InvalidJob(f"the kernels have no texture step '{step.kind}': {', '.join(known)}")
        return known.index(step.kind)

    def _record(self, step: Step) -> NDArray[np.void]:
        record = np.zeros((), self.layouts[step.kind])
        for name, value in step.operands.items():
            record[name] = value
        return record

    def records(self) -> Records:
        """Return all steps so far."""
        records: Records = np.zeros(len(self.rows), self.layouts["TextureStep"])
        records["kind"], records["operands"] = zip(*self.rows, strict=True)
        return records


def setting_steps(dtype: np.dtype[np.void], name: str, value: Texture) -> tuple[Step, ...]:
    """Steps that set a shader's parameter to a texture's value."""
    fields = dtype.fields or MappingProxyType({})
    kind, offset = fields[name][:2]
    step = "set_color" if kind.shape or kind.itemsize > 4 else "set_number"
    return (*value.steps, Step(step, {"place": int(offset) // 4}))


@dataclass(frozen=True, eq=False)
class PackedImages:
    """Image records, their texels, and the linear values of sRGB bytes (none without images)."""

    images: Records
    texels: NDArray[np.uint8]
    linear_of_srgb: NDArray[np.float32]


def pack_images(images: Sequence[Image], layouts: Layouts) -> PackedImages:
    """Return every image with its mip levels, end to end."""
    records: Records = np.zeros(len(images), layouts["Image"])
    parts: list[NDArray[np.uint8]] = []
    offset = 0
    for record, image in zip(records, images, strict=True):
        levels = mip_levels(image.picture)
        texels = image.picture.texels
        values: dict[str, Any] = {
            "offset": offset // ALIGNMENT,
            "width": texels.shape[1],
            "height": texels.shape[0],
            "level_count": len(levels),
            "channels": texels.shape[2],
            "kind": _kind(image.picture),
        }
        for name, value in values.items():
            record[name] = value
        data = [np.ascontiguousarray(level).view(np.uint8).reshape(-1) for level in levels]
        size = sum(map(len, data))
        padding = -size % ALIGNMENT
        parts += [*data, np.zeros(padding, np.uint8)]
        offset += size + padding
    table = linear_from_srgb_bytes() if images else np.zeros(0, np.float32)
    return PackedImages(records, np.concatenate([np.zeros(0, np.uint8), *parts]), table)


def _kind(picture: Picture) -> int:
    if picture.texels.dtype == np.float16:
        return _HALF
    return _SRGB_BYTE if picture.is_srgb else _BYTE
