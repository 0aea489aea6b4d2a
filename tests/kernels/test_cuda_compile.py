"""The kernels compile for every supported GPU, without a warning and within their budget."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from gpuqueue.device import kernel_image
from gpuqueue.device.kernel_image import kernel_folder
from tests.conftest import RESOURCES

from .cuda_compilers import (
    ARCHITECTURES,
    BUDGET,
    COMPILERS,
    CompilerMissing,
    as_text,
    changes,
    resources,
    rows,
)

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "kernels"
#: How far a compiler's release may move the numbers: registers, and bytes of spills and stack.
SLACK = {"registers": 8, "spills": 64, "stack": 128}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("compiler", sorted(COMPILERS))
def test_the_kernel_compiles_without_a_warning_and_within_its_budget(
    compiler: str, architecture: int, record_property: Callable[[str, str], None]
) -> None:
    try:
        log = COMPILERS[compiler](architecture)
    except CompilerMissing as missing:
        pytest.skip(str(missing))
    assert "warning" not in log.lower()
    taken = resources(log, architecture)
    for line in rows(compiler, architecture, taken):
        record_property(RESOURCES, line)
    budget = json.loads(BUDGET.read_text())[f"sm_{architecture}"]
    for entry in taken.keys() - budget.keys():
        line = f"{json.dumps(entry)}: {json.dumps(asdict(taken[entry]))}"
        pytest.fail(f"{BUDGET.name} lacks a line of sm_{architecture}:\n{line}")
    over = {
        f"{entry} {field}": (getattr(taken[entry], field), budget[entry][field])
        for entry in taken
        for field, slack in SLACK.items()
        if getattr(taken[entry], field) > budget[entry][field] + slack
    }
    over |= {
        f"{entry} occupancy": (found.occupancy, budget[entry]["occupancy"])
        for entry, found in taken.items()
        if found.occupancy < budget[entry]["occupancy"]
    }
    assert not over, (
        f"over the budget (taken, budget): {over}; if the kernel is worth it, "
        f"python -m tests.kernels.cuda_compilers --write --loosen"
    )


def test_the_budget_is_loosened_on_purpose_only() -> None:
    line = {"registers": 128, "spills": 0, "stack": 784, "occupancy": 50}
    old = {"sm_75": {"render": line}}
    better = {"sm_75": {"render": {**line, "registers": 120, "occupancy": 56}, "other": line}}
    told, looser = changes(old, better)
    assert "sm_75 render registers: 128 -> 120" in told
    assert "sm_75 other stack: new -> 784" in told
    assert looser == []
    worse = {"sm_75": {"render": {**line, "spills": 4, "occupancy": 43}}}
    assert changes(old, worse)[1] == [
        "sm_75 render spills: 0 -> 4",
        "sm_75 render occupancy: 50 -> 43",
    ]


def test_the_budget_file_has_a_line_for_each_kernel() -> None:
    assert as_text(json.loads(BUDGET.read_text())) == BUDGET.read_text()


def test_only_the_portability_headers_know_the_compiler() -> None:
    knowing = {
        path.name
        for path in KERNELS.rglob("*")
        if path.is_file() and re.search(r"^\s*#.*__CUDA(CC|_ARCH)", path.read_text(), re.MULTILINE)
    }
    assert knowing == {"portability.cuh", "simd.cuh", "word_lanes.cuh"}


def test_the_package_holds_every_source_that_a_cuda_compiler_reads() -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.suffix in (".cu", ".cuh")
        }

    assert contents(KERNELS)
    assert contents(kernel_folder()) == contents(KERNELS), "install the package again"


class TestTheCacheOfCompiledKernels:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "kernels"
        folder.mkdir()
        (folder / "pathtrace.cu").write_text(
            '#include "value.cuh"\nextern "C" __global__ void render(float* x) { *x = VALUE; }\n'
        )
        (folder / "value.cuh").write_text("#define VALUE 1.0f\n")
        monkeypatch.setattr(kernel_image, "kernel_folder", lambda: folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        try:
            kernel_image.Nvrtc()
        except kernel_image.ConfigError as error:
            pytest.skip(str(error))
        return folder

    def test_holds_one_cubin_for_each_kind_of_gpu(self, folder: Path) -> None:
        first = kernel_image.kernel_image(75)
        stamp = first.stat().st_mtime_ns
        assert first.read_bytes()[:4] == b"\x7fELF"
        assert kernel_image.kernel_image(75) == first
        assert first.stat().st_mtime_ns == stamp
        assert kernel_image.kernel_image(86) != first

    def test_compiles_again_after_an_edit_of_an_included_header(self, folder: Path) -> None:
        first = kernel_image.kernel_image(75)
        (folder / "value.cuh").write_text("#define VALUE 2.0f\n")
        second = kernel_image.kernel_image(75)
        assert second != first
        assert second.read_bytes() != first.read_bytes()

    def test_a_gpu_newer_than_the_compiler_gets_ptx(self, folder: Path) -> None:
        assert b".target sm_" in kernel_image.kernel_image(999).read_bytes()

    def test_a_gpu_older_than_the_compiler_is_refused(self, folder: Path) -> None:
        with pytest.raises(kernel_image.ConfigError, match="does not know compute capability 20"):
            kernel_image.kernel_image(20)

    def test_an_error_in_a_kernel_is_shown_with_its_place(self, folder: Path) -> None:
        (folder / "value.cuh").write_text("#define VALUE nonsense\n")
        with pytest.raises(kernel_image.ConfigError, match=r'pathtrace\.cu\(2\).*"nonsense"'):
            kernel_image.kernel_image(75)

    def test_a_fatbin_built_ahead_is_taken_as_it_is(self, folder: Path) -> None:
        (folder / "pathtrace.fatbin").write_bytes(b"ahead")
        assert kernel_image.kernel_image(75).read_bytes() == b"ahead"
