"""``python -m tests.ptx [CACHE] < FILE.ptx``: translate and compile a module, print the library."""

import sys
from pathlib import Path

from .build import build
from .errors import PtxError


def main() -> int:
    """1, and the reason, where the text cannot be translated."""
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        print(build(sys.stdin.read(), "module.ptx", cache))
    except PtxError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
