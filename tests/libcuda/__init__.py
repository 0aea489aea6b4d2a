"""A test double of ``libcuda.so.1``: the CUDA driver's calls, on translated PTX and host memory.

The real PyCUDA runs on it as it is, and with it our `pycuda` device from upload to read-back. What
is wrong is refused in words and noted: copies past an end, memory that was freed, launches that no
GPU takes, faults of kernels (which spoil a context for good), memory left behind. Streams are late:
they do what they were given when somebody waits for it, so that a missing wait is seen.

- ``driver/*.c`` is the double, compiled against NVIDIA's own headers, which check its signatures.
- `library` builds it, `pycuda_package` builds PyCUDA; both are kept in a cache.
- A test with the mark ``libcuda_double`` runs in a child (`serve`) whose libcuda is the double;
  `forward` hands it over and takes its reports back. `control` is what such tests use.

It shows what our code asks of the driver and what comes of it in memory, not what a GPU does.
"""
