"""The version of this server, in RealityServer's form."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path

import gpuqueue
from gpuqueue.commands.base import CommandContext, NoParameters, command


@command("get_version", parameters=NoParameters, returns="the version, a string", direct=True)
def get_version(parameters: NoParameters, context: CommandContext) -> str:  # noqa: ARG001 (a command)
    """Tell the version of this server: ``VERSION, build N.M, DD Mon YYYY, OS-PROCESSOR``.

    N counts releases, M is a checksum of the package's Python files: two servers with the same
    build run the same lines.
    """
    return (
        f"{gpuqueue.__version__}, build {gpuqueue.RELEASE_NUMBER}.{source_checksum()}, "
        f"{gpuqueue.RELEASE_DATE}, {platform_name()}"
    )


@cache
def source_checksum() -> int:
    """The first 24 bits of the SHA-256 of the package's Python files and their names."""
    package = Path(gpuqueue.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(data)}\n".encode())
        digest.update(data)
    return int.from_bytes(digest.digest()[:3])


def platform_name() -> str:
    """Operating system and processor, such as ``linux-x86-64``."""
    return f"{platform.system()}-{platform.machine()}".lower().replace("_", "-")
