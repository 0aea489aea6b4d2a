"""The version string has RealityServer's form."""

import re

import gpuqueue
from gpuqueue.commands.context import RunContext
from gpuqueue.commands.get_version import source_checksum
from gpuqueue.config import Settings


def test_the_version_reads_like_realityservers() -> None:
    version = RunContext(Settings()).call("get_version", {})
    assert isinstance(version, str)
    form = r"(\d+\.\d+\.\d+), build \d+\.\d+, (\d\d [A-Z][a-z]{2} \d{4}), [a-z]+-[a-z0-9-]+"
    match = re.fullmatch(form, version)
    assert match is not None, version
    assert match.groups() == (gpuqueue.__version__, gpuqueue.RELEASE_DATE)
    assert f".{source_checksum()}," in version
