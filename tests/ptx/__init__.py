"""Runs PTX, the assembly that nvcc and NVRTC make, on the CPU: no GPU is needed, none is tested.

``load_ptx(text)`` translates a module to C, compiles it and loads it; ``Program.launch`` runs one
of its kernels on a `DeviceMemory`. What a GPU's driver does afterwards, from PTX to machine code,
stays unseen, as do races between threads: they run one after another.
"""

from .errors import LaunchError, PtxError
from .launcher import Program, load_ptx
from .memory import Allocation, DeviceMemory

__all__ = ["Allocation", "DeviceMemory", "LaunchError", "Program", "PtxError", "load_ptx"]
