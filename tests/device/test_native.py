"""Which build of the kernels is taken, and that it makes no difference."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from gpuqueue.device import DEVICES, Work, native
from gpuqueue.errors import ConfigError
from gpuqueue.scene import SceneBuffers

from .conftest import SETTINGS

BUILDS = [b for b in ("baseline", "avx2") if find_spec(f"gpuqueue._kernels_{b}")]


def test_a_build_can_be_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUQUEUE_KERNELS", "baseline")
    assert native.kernels.__wrapped__().__name__ == "gpuqueue._kernels_baseline"


def test_an_unknown_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUQUEUE_KERNELS", "avx512")
    with pytest.raises(ConfigError, match="'avx512'; expected 'avx2' or 'baseline'"):
        native.kernels.__wrapped__()


def test_a_package_without_compiled_kernels_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr(native, "import_module", missing)
    with pytest.raises(ConfigError, match="the compiled kernels are missing"):
        native.kernels.__wrapped__()


@pytest.mark.parametrize(
    ("flags", "build"),
    [
        ("flags\t\t: fpu sse4_2 avx avx2 bmi1 bmi2 fma f16c movbe abm\nbugs: avx512", "avx2"),
        ("flags\t\t: fpu sse4_2 avx\nbugs: avx2", "baseline"),
        ("", "baseline"),
    ],
)
def test_avx2_is_taken_where_the_processor_has_all_of_it(
    flags: str, build: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(flags)
    monkeypatch.delenv("GPUQUEUE_KERNELS", raising=False)
    monkeypatch.setattr(native, "Path", lambda _: info)
    monkeypatch.setattr(native.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(native, "import_module", lambda name: name)
    assert native.kernels.__wrapped__() == f"gpuqueue._kernels_{build}"


@pytest.mark.skipif(len(BUILDS) < 2, reason="this processor has one build of the kernels")
def test_both_builds_give_the_same_bits(
    scene: SceneBuffers, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native._has_avx2():
        pytest.skip("this processor has no AVX2")
    films = []
    for build in BUILDS:
        module = import_module(f"gpuqueue._kernels_{build}")
        monkeypatch.setattr(native, "kernels", lambda module=module: module)
        device = DEVICES.load("cpu")(SETTINGS)
        film = device.new_film(scene.camera, 48, 32)
        device.render(device.upload(scene), film, Work(0, 48 * 32, 0, 8, 1, 6))
        films.append(device.read(film))
    np.testing.assert_array_equal(*films)
    assert films[0][..., :3].any()
