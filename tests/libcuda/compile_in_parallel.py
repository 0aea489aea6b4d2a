"""Makes setuptools compile all files of an extension at once, not one after another.

The build of PyCUDA executes this file in its own process (see `pycuda_package`).
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from distutils.unixccompiler import UnixCCompiler
from typing import Any

_compile, _link = UnixCCompiler._compile, UnixCCompiler.link
_pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
_compiling: list[Future[None]] = []


def _compile_soon(*arguments: Any) -> None:
    _compiling.append(_pool.submit(_compile, *arguments))


def _link_when_compiled(*arguments: Any, **options: Any) -> None:
    while _compiling:
        _compiling.pop().result()
    _link(*arguments, **options)


UnixCCompiler._compile = _compile_soon
UnixCCompiler.link = _link_when_compiled
