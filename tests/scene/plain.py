"""Entities as plain values to compare: without places, arrays by their bits."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Geometry
from gpuqueue.scene.source import Place


def plain(value: Any) -> Any:
    if isinstance(value, Place):
        return None
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, Geometry):
        return _geometry(value)
    if is_dataclass(value):
        return type(value).__name__, {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return [(key, plain(item)) for key, item in value.items()]
    if isinstance(value, tuple | list):
        return type(value).__name__, [plain(item) for item in value]
    return type(value).__name__, value


def _geometry(geometry: Geometry) -> Any:
    """Each triangle's material rather than the number of its slot."""
    arrays = (geometry.positions, geometry.normals, geometry.uvs, geometry.triangles)
    return plain(arrays), [geometry.slots[slot] for slot in geometry.triangle_slots]


def plain_document(document: Document) -> Any:
    return plain(document.entities), plain(document.declarations), plain(document.render)
