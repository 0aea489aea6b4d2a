"""The run-time compiler, where it is and where it is not."""

from pathlib import Path

import pytest

from gpuqueue.device import nvrtc
from gpuqueue.errors import ConfigError


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nvrtc, "_SONAMES", ("libnvrtc.so.absent",))
    with pytest.raises(ConfigError, match=r"pip install nvidia-cuda-nvrtc.*libnvrtc\.so\.absent"):
        nvrtc.Nvrtc()


def test_a_toolkit_is_found_by_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lib64").mkdir()
    library = tmp_path / "lib64" / "libnvrtc.so.13"
    library.write_bytes(b"")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert next(nvrtc._in_toolkits()) == str(library)


def test_a_broken_library_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libnvrtc.so.13"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(nvrtc, "_in_wheels", lambda: iter([str(broken)]))
    monkeypatch.setattr(nvrtc, "_in_toolkits", lambda: iter(()))
    monkeypatch.setattr(nvrtc, "_SONAMES", ())
    with pytest.raises(ConfigError, match=r"libnvrtc\.so\.13: "):
        nvrtc.Nvrtc()
