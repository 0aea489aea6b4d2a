"""Accessors: typed numbers in buffers (glTF 2.0, section 3.6.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuqueue.scene.gltf.asset import Asset
from gpuqueue.scene.gltf.item import Item

_TYPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
MAX_COUNT = 1 << 28
#: Elements of an accessor that has no bytes of its own, only exceptions from zero.
MAX_ZEROS = 1 << 22


def floats(asset: Asset, accessor: Item, width: int) -> NDArray[np.float64]:
    """Return numbers ``[N, width]``; integers that are `normalized` become -1 to 1 or 0 to 1.

    Raises SceneError for another width, and for what is not finite.
    """
    values = _elements(asset, accessor)
    if values.shape[1] != width:
        raise accessor.error("type", f"{width} numbers for each element")
    result = values.astype(np.float64)
    if values.dtype.kind != "f" and accessor.truth("normalized"):
        result = np.maximum(result / _largest(values.dtype), -1.0)
    if not np.isfinite(result).all():
        raise accessor.at.error("a number is not finite")
    return result


def _largest(component: np.dtype[np.generic]) -> int:
    """The integer that stands for 1."""
    bits = 8 * component.itemsize
    return (1 << (bits if component.kind == "u" else bits - 1)) - 1


def indices(asset: Asset, accessor: Item, count: int) -> NDArray[np.int64]:
    """Return integers ``[N]`` below `count`. Raises SceneError."""
    values = _elements(asset, accessor)
    if values.shape[1] != 1 or values.dtype.kind != "u":
        raise accessor.error("componentType", "unsigned integers, one for each element")
    result = values.reshape(-1).astype(np.int64)
    if result.size and result.max() >= count:
        raise accessor.at.error(f"vertex {result.max()} does not exist; there are {count}")
    return result


def _elements(asset: Asset, accessor: Item) -> NDArray[np.generic]:
    """The elements ``[N, width]`` as they are stored; zeros without a buffer view."""
    count = accessor.integer("count", high=MAX_COUNT)
    component = _component(accessor)
    width = _TYPES.get(accessor.text("type", ""))
    if width is None:
        raise accessor.error("type", f"one of {', '.join(_TYPES)}")
    if accessor.has("bufferView"):
        values = _rows(asset, accessor, count, width, component)
    elif accessor.has("sparse"):
        if count > MAX_ZEROS:
            raise accessor.error("count", f"at most {MAX_ZEROS} elements without a buffer view")
        values = np.zeros((count, width), component)
    else:
        raise accessor.error("bufferView", "the place of the numbers")
    if accessor.has("sparse"):
        values = _patched(asset, accessor.child("sparse"), values)
    return values


def _component(item: Item) -> np.dtype[np.generic]:
    found = _COMPONENTS.get(item.integer("componentType"))
    if found is None:
        raise item.error("componentType", f"one of {', '.join(map(str, _COMPONENTS))}")
    return np.dtype(found)


def _rows(
    asset: Asset, item: Item, count: int, width: int, component: np.dtype[np.generic]
) -> NDArray[np.generic]:
    """`count` rows where `item` says, with the stride of its buffer view."""
    view, data = asset.view(item)
    size = width * component.itemsize
    stride = view.integer("byteStride", size, low=size, high=1 << 16)
    offset = item.integer("byteOffset", 0)
    if count and offset + stride * (count - 1) + size > len(data):
        raise item.at.error(
            f"{count} elements go beyond the {len(data)} bytes of their buffer view"
        )
    if count == 0:
        return np.zeros((0, width), component)
    return np.ndarray((count, width), component, data, offset, (stride, component.itemsize))


def _patched(asset: Asset, sparse: Item, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values with those that `sparse` lists in their places."""
    count = sparse.integer("count", low=1, high=len(values))
    where = sparse.child("indices")
    rows = _rows(asset, where, count, 1, _component(where)).reshape(-1).astype(np.int64)
    if rows.min() < 0 or rows.max() >= len(values):
        raise where.at.error(f"an index is beyond the {len(values)} elements")
    result = values.copy()
    result[rows] = _rows(asset, sparse.child("values"), count, values.shape[1], values.dtype)
    return result
