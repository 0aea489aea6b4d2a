"""Make ministack's environment and run the contracts against it: ``python -m tests.ministack``."""

from __future__ import annotations

import subprocess
import sys
import venv

import pytest

from .server import ENVIRONMENT, PYTHON, ROOT

VERSION = "ministack==1.5.33"


def main() -> int:
    """The exit code: a test that is skipped for lack of the server would be none."""
    if not PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", VERSION]
    subprocess.run(install, check=True)
    folder = ROOT / "tests" / "contracts"
    return int(pytest.main([str(folder), "-k", "ministack", "-q", "--numprocesses=0"]))


if __name__ == "__main__":
    sys.exit(main())
