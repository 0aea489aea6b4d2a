"""What a ray is expected to cost in a tree by the surface area heuristic, ours and Embree's alike.

Nodes and blocks of four triangles that a random line through the box of the whole visits: the
areas of their boxes (MacDonald and Booth 1990) to the area of that box, each visit counted as one.
"""

from __future__ import annotations

import ctypes

import numpy as np

from benchmarks.rays.embree import Embree
from gpuqueue.device.native import layouts
from tests.kernels.ray_scenes import Array, Floats, RayScene

#: As kernels/bvh/node_float.cuh lays it out.
FLOAT_NODE = np.dtype([("planes", "<f4", (3, 2, 8)), ("child", "<u4", 8), ("padding", "<u4", 8)])
LEAF_BIT = np.uint32(1 << 31)


def our_tree_cost(built: dict[str, Array]) -> float:
    """Of an accelerator of the float8 layout that has one placement."""
    nodes = built["nodes"].view(FLOAT_NODE)
    (root,) = built["placements"].view(layouts()["Placement"])["root"]
    if root & LEAF_BIT:
        return float(root >> 28 & 7)
    level, total, whole = np.array([root]), 0.0, None
    while len(level):
        planes = nodes["planes"][level].astype(float)
        low, high = planes[:, :, 0], planes[:, :, 1]  # [N, 3, 8]
        is_used = (low <= high).all(axis=1)
        own = half_area(
            np.where(is_used[:, None], high, -np.inf).max(-1)
            - np.where(is_used[:, None], low, np.inf).min(-1)
        )
        whole = whole or float(own[0])
        child = nodes["child"][level]
        is_leaf = is_used & (child & LEAF_BIT != 0)
        blocks = (child >> 28 & 7)[is_leaf]
        total += own.sum() + (half_area(np.moveaxis(high - low, 1, -1)[is_leaf]) * blocks).sum()
        level = child[is_used & ~is_leaf]
    return float(total / (whole or 1.0))


def half_area(extent: Floats) -> Floats:
    """Of boxes by their extents [..., 3]."""
    area: Floats = (extent * np.roll(extent, 1, axis=-1)).sum(-1)
    return area


def embree_tree_cost(embree: Embree, scene: RayScene) -> float:
    """Of the tree that Embree's builder of medium quality makes of the scene's triangles."""
    corners, _, _ = scene.world_corners()
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1).astype(np.float32)
    cost: float = embree.functions.embree_tree_cost(
        ctypes.c_void_p(boxes.ctypes.data), ctypes.c_size_t(len(boxes))
    )
    if cost < 0:
        raise RuntimeError("Embree builds no tree of these boxes")
    return cost
