"""A translated module to a shared library, kept in a cache under a hash of all that made it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from .errors import PtxError
from .parser import parse
from .translate import translate

_PACKAGE = Path(__file__).parent
#: Without optimisation: large kernels compile in a fifth of the time, and test launches are small.
#: Contraction would change results; types are punned through pointers.
_OPTIONS = (
    *("-std=gnu11", "-O0", "-g1", "-w"),
    *("-ffp-contract=off", "-fno-strict-aliasing", "-fno-math-errno", "-frounding-math"),
    *("-shared", "-fPIC", "-Werror=implicit-function-declaration", "-Wl,-z,defs"),
)


def build(text: str, name: str, cache: Path | None = None) -> Path:
    """The library of a PTX module, made now or found in the cache."""
    folder = cache or _private_folder()
    library = folder / f"{_key(text, name)}.so"
    if library.is_file():
        os.utime(library)  # in use: see `forget_unused`
    else:
        source = translate(parse(text, name))
        with tempfile.TemporaryDirectory(dir=folder) as work:
            made = compile_c(source, Path(work))
            made.replace(library)
    return library


def forget_unused(cache: Path, days: float = 7) -> None:
    """Remove libraries that nobody used for so long."""
    for library in cache.glob("*.so"):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - library.stat().st_mtime > days * 86400:
                library.unlink()


def compiler() -> str:
    """The C compiler's path. Raises PtxError."""
    found = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc")
    if found is None:
        raise PtxError("no C compiler is on the PATH")
    return found


def compile_c(source: str, folder: Path, *options: str) -> Path:
    """The library of a translated module, in this folder. Raises PtxError."""
    (folder / "module.c").write_text(source)
    library = folder / "module.so"
    files = [f"-I{_PACKAGE / 'runtime'}", "module.c", "-o", str(library), "-lm"]
    command = [compiler(), *_OPTIONS, *options, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        raise PtxError(f"{' '.join(command)}\n{done.stderr[:4000]}")
    return library


def _key(text: str, name: str) -> str:
    """The runner's own sources count too: an edit of the translation must give a new library."""
    digest = hashlib.sha256(repr((text, name, compiler(), _OPTIONS)).encode())
    for pattern in ("*.py", "opcodes/*.py", "runtime/*.h"):
        for path in sorted(_PACKAGE.glob(pattern)):
            if not path.name.startswith("test_"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _private_folder() -> Path:
    """A folder of this user alone: what lies there is run."""
    folder = Path(tempfile.gettempdir(), f"gpuqueue-ptx-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PtxError(f"{folder} belongs to another user")
    return folder
