"""``python -m tests.libcuda``: build the double and PyCUDA ahead of tests; say where they are."""

import sys
import time

from .headers import Missing
from .library import SONAME, build_library
from .pycuda_package import VERSION, build_pycuda


def main() -> int:
    """1, and the reason, where they cannot be had: tests that need them would skip."""
    start = time.monotonic()
    try:
        print(f"{SONAME} (test double): {build_library()}")
        print(f"PyCUDA {VERSION}: {build_pycuda()}")
    except Missing as missing:
        print(f"cannot be built here: {missing}", file=sys.stderr)
        return 1
    print(f"ready after {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
