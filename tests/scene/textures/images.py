"""Image files of known pixels, written for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def write_image(path: Path, pixels: npt.NDArray[Any]) -> Path:
    """Write pixels ``[H, W, C]``, top row first, in the format that the name says."""
    import OpenImageIO as oiio  # noqa: N813  (its usual name)

    kinds = {"u1": oiio.UINT8, "u2": oiio.UINT16, "f2": oiio.HALF, "f4": oiio.FLOAT}
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, kinds[pixels.dtype.str[1:]])
    spec.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels)), file.geterror()
    assert file.close()
    return path
