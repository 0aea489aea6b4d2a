"""A texture's steps as a Mitsuba bitmap: an image, how often it is repeated, a factor.

Only such textures can be compared; others fail an assertion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuqueue.device.native import layouts
from gpuqueue.scene import SceneBuffers

NO_MORE_STEPS = 0xFFFFFFFF
TEXEL_SRGB_BYTE, TEXEL_HALF = 1, 2
EDGE_WRAPPED = 1


def steps_at(scene: SceneBuffers, first: int) -> list[tuple[str, np.void]]:
    """Names and operands of the steps from a place on."""
    names = layouts()["TextureSteps"].names or ()
    found = []
    while scene.texture_steps[first]["kind"] != NO_MORE_STEPS:
        step = scene.texture_steps[first]
        name, start = names[step["kind"]], int(step["operands"])
        dtype = layouts()[name]
        data = scene.parameters.tobytes()[start : start + dtype.itemsize]
        found.append((name, np.frombuffer(data, dtype)[0]))
        first += 1
    return found


def bitmap(scene: SceneBuffers, first: int, factor: Any = (1.0, 1.0, 1.0)) -> dict[str, Any]:
    """The Mitsuba texture of a place in the steps, with linear texels."""
    import mitsuba as mi

    repeat, wraps, scale = np.ones(3), False, np.array(factor, float)
    texels, is_alpha = np.zeros(0), False
    for name, operands in steps_at(scene, first):
        if name == "remap":
            repeat = operands["repeat"]
        elif name == "image_lookup":
            texels = linear_texels(scene, scene.images[operands["image"]])
            wraps = operands["edge_x"] == EDGE_WRAPPED
        elif name == "affine":
            scale = scale * operands["scale"][:3]
            assert not operands["offset"].any()
        elif name == "alpha":
            is_alpha = True
        else:
            assert name in ("surface_coordinates", "bounded", "mean", "set_color"), name
    values = texels[..., 3:] if is_alpha else texels[..., :3]
    values = values * (scale[:1] if is_alpha else scale)
    return {
        "type": "bitmap",
        "bitmap": mi.Bitmap(values.astype(np.float32)),
        "raw": True,
        "filter_type": "bilinear",
        "wrap_mode": "repeat" if wraps else "clamp",
        "to_uv": mi.ScalarTransform4f().scale([float(repeat[0]), float(repeat[1]), 1.0]),
    }


def linear_texels(scene: SceneBuffers, image: np.void) -> Any:
    """Texels [H, W, 4] of the largest level, the bottom row first: Mitsuba's order of rows."""
    shape = (int(image["height"]), int(image["width"]), int(image["channels"]))
    assert shape[2] == 4
    start, count = 16 * int(image["offset"]), int(np.prod(shape))
    if image["kind"] == TEXEL_HALF:
        return scene.texels[start : start + 2 * count].view(np.float16).reshape(shape).astype(float)
    data = scene.texels[start : start + count].reshape(shape)
    linear = data / 255.0
    if image["kind"] == TEXEL_SRGB_BYTE:
        linear[..., :3] = scene.linear_of_srgb[data[..., :3]]
    return linear
