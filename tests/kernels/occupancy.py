"""How many warps of a multiprocessor a kernel can keep busy, out of those that it can hold.

The limits are those of "Technical Specifications per Compute Capability" in NVIDIA's CUDA C++
Programming Guide; registers are given out to warps in units of 256, and to four warps at a time.
"""

from __future__ import annotations

WARP_THREADS = 32
REGISTERS = 65536
REGISTER_UNIT = 256
WARP_UNIT = 4
#: Compute capability to warps and blocks that a multiprocessor holds at most.
LIMITS = {
    75: (32, 16),
    80: (64, 32),
    86: (48, 16),
    89: (48, 24),
    90: (64, 32),
    100: (64, 32),
    120: (48, 24),
}


def occupancy(architecture: int, registers: int, block_threads: int) -> float:
    """The share of resident warps, 0 to 1, for a kernel without shared memory.

    `registers` are those of one thread.
    """
    most_warps, most_blocks = LIMITS[architecture]
    block_warps = -(-block_threads // WARP_THREADS)
    warp_registers = -(-registers * WARP_THREADS // REGISTER_UNIT) * REGISTER_UNIT
    warps = REGISTERS // warp_registers // WARP_UNIT * WARP_UNIT
    blocks = min(most_blocks, most_warps // block_warps, warps // block_warps)
    return blocks * block_warps / most_warps
