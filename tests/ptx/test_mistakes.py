"""What kernels, launches and texts do wrong is refused, with the line and the thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from . import DeviceMemory, LaunchError, Program, PtxError
from .compilers import nvcc_ptx

SOURCE = Path(__file__).parent / "kernels" / "mistakes.cu"
ONE_BLOCK = (1, 1, 1)


@pytest.fixture(scope="module")
def program(load: Callable[[str, str], Program]) -> Program:
    return load(nvcc_ptx(SOURCE, 80, ["-w"]), "mistakes.ptx")


@pytest.fixture
def memory() -> DeviceMemory:
    return DeviceMemory()


def line_of_mistake(kernel: str) -> int:
    lines = SOURCE.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if f" {kernel}(" in line)
    return next(n for n in range(start, len(lines)) if "// mistake" in lines[n]) + 1


WORDS = 64
#: Kernel, further arguments, threads, the first thread to go wrong, and what the error says.
MISTAKES = [
    ("write_beyond", [64], 96, 64,
     "write of 4 bytes out of bounds in global memory, at byte 256 of an allocation of 256"),
    ("misaligned", [], 8, 1, "misaligned write of 4 bytes"),
    # The last thread to come to a barrier is the first to go on.
    ("beyond_shared", [40], 32, 31, "read of 4 bytes out of bounds, at 284 of 256 bytes of shared"),
    ("beyond_local", [16], 1, 0, "read of 4 bytes out of bounds"),
    ("beyond_local", [-2], 1, 0, "read of 4 bytes out of bounds"),
    ("foreign_mask", [], 32, 1, "lane 1 is not in its own mask 0x1"),
    ("from_absent_lane", [], 32, 15, "lane 15 reads from lane 20, which takes no part"),
    ("different_masks", [], 32, 31, "lanes 31 and 0 meet with masks 0xffffffff and 0x3"),
    ("different_meetings", [], 32, 31, "lane 31 is at a shuffle, lane 0 at a vote"),
    ("stops_itself", [], 1, 0, "the kernel stopped itself"),
    ("too_few_at_barrier", [], 32, 0, "deadlock: waits for a barrier, and 32 threads wait in all"),
    ("write_constant", None, 4, 0, "write of 4 bytes to constant memory"),
]  # fmt: skip


@pytest.mark.parametrize(("kernel", "numbers", "threads", "thread", "says"), MISTAKES)
def test_a_kernel_that_does_wrong_is_stopped_at_its_line(
    program: Program,
    memory: DeviceMemory,
    kernel: str,
    numbers: list[int] | None,
    threads: int,
    thread: int,
    says: str,
) -> None:
    out = memory.zeros(4 * WORDS)
    arguments = [] if numbers is None else [out, *(np.int32(n) for n in numbers)]
    with pytest.raises(LaunchError, match=re.escape(says)) as caught:
        program.launch(kernel, ONE_BLOCK, (threads, 1, 1), arguments, memory)
    place = f"mistakes.cu:{line_of_mistake(kernel)}: block (0, 0, 0), thread ({thread}, 0, 0): "
    assert place in str(caught.value)


def test_an_access_must_lie_within_an_allocation_to_its_last_byte(
    program: Program, memory: DeviceMemory
) -> None:
    message = "write of 16 bytes out of bounds in global memory, at byte 16 of an allocation of 28"
    with pytest.raises(LaunchError, match=message):
        program.launch("beyond_end", ONE_BLOCK, ONE_BLOCK, [memory.zeros(28), np.uint32(0)], memory)


def test_the_block_is_named_too(program: Program, memory: DeviceMemory) -> None:
    arguments = [memory.zeros(4 * WORDS), np.uint32(WORDS)]
    with pytest.raises(LaunchError, match=r"block \(4, 0, 0\), thread \(0, 0, 0\)"):
        program.launch("write_beyond", (8, 1, 1), (16, 1, 1), arguments, memory)


def test_reading_in_front_of_an_allocation_is_refused(
    program: Program, memory: DeviceMemory
) -> None:
    arguments = [memory.zeros(4 * WORDS), memory.zeros(4 * WORDS)]
    with pytest.raises(
        LaunchError, match=rf"mistakes.cu:{line_of_mistake('read_before')}: .*read of"
    ):
        program.launch("read_before", ONE_BLOCK, (8, 1, 1), arguments, memory)


def test_memory_that_was_given_back_cannot_be_used(program: Program, memory: DeviceMemory) -> None:
    out = memory.zeros(4 * WORDS)
    memory.free(out)
    with pytest.raises(LaunchError, match="write of 4 bytes out of bounds"):
        program.launch("write_beyond", ONE_BLOCK, (8, 1, 1), [out, np.uint32(8)], memory)


def test_memory_that_nobody_holds_cannot_be_used(program: Program, memory: DeviceMemory) -> None:
    address = bytes(memory.zeros(4 * WORDS))
    with pytest.raises(LaunchError, match="write of 4 bytes out of bounds"):
        program.launch("write_beyond", ONE_BLOCK, (8, 1, 1), [address, np.uint32(8)], memory)


def test_recursion_without_end_is_stopped(program: Program, memory: DeviceMemory) -> None:
    with pytest.raises(LaunchError, match="endless recursion"):
        program.launch("recursion", ONE_BLOCK, (1, 1, 1), [memory.zeros(4)], memory)


def test_a_program_goes_on_after_an_error(program: Program, memory: DeviceMemory) -> None:
    out = memory.zeros(4 * WORDS)
    with pytest.raises(LaunchError):
        program.launch("write_beyond", ONE_BLOCK, (96, 1, 1), [out, np.uint32(90)], memory)
    program.launch("write_beyond", ONE_BLOCK, (96, 1, 1), [out, np.uint32(WORDS - 1)], memory)
    assert (out.read(np.uint32) == np.arange(WORDS)).all()


class TestALaunchIsRefused:
    def launch(self, program: Program, memory: DeviceMemory, **changes: object) -> None:
        request = {
            "name": "write_beyond",
            "grid": ONE_BLOCK,
            "block": (32, 1, 1),
            "arguments": [memory.zeros(4 * WORDS), np.uint32(32)],
            "shared_bytes": 0,
        }
        program.launch(**{**request, **changes}, memory=memory)  # type: ignore[arg-type]

    def test_with_an_argument_of_another_size(self, program: Program, memory: DeviceMemory) -> None:
        arguments = [memory.zeros(4), np.uint64(32)]
        with pytest.raises(LaunchError, match="argument 1 has 8 bytes, the parameter 4"):
            self.launch(program, memory, arguments=arguments)

    def test_with_too_few_arguments(self, program: Program, memory: DeviceMemory) -> None:
        with pytest.raises(LaunchError, match="0 arguments for 2 parameters"):
            self.launch(program, memory, arguments=[])

    def test_of_a_kernel_that_is_not_there(self, program: Program, memory: DeviceMemory) -> None:
        with pytest.raises(LaunchError, match="no kernel 'nothing'; known: write_beyond, "):
            self.launch(program, memory, name="nothing")

    def test_with_too_many_threads(self, program: Program, memory: DeviceMemory) -> None:
        with pytest.raises(LaunchError, match="a block of 2048 threads; it may have 1024"):
            self.launch(program, memory, block=(32, 64, 1))

    def test_with_too_much_shared_memory(self, program: Program, memory: DeviceMemory) -> None:
        with pytest.raises(LaunchError, match="bytes of shared memory; it may use 49152"):
            self.launch(program, memory, shared_bytes=65536)

    def test_with_an_empty_grid(self, program: Program, memory: DeviceMemory) -> None:
        with pytest.raises(LaunchError, match=r"a grid of \(0, 1, 1\); it may be 1 to"):
            self.launch(program, memory, grid=(0, 1, 1))


HEAD = ".version 9.0\n.target sm_75\n.address_size 64\n"


def in_kernel(*lines: str) -> str:
    head = f"{HEAD}.visible .entry k(.param .u32 k_a) {{\n.reg .b32 %r<4>; .reg .pred %p;\n"
    return head + "\n".join(lines) + "\n}\n"


#: A text, the line that the error names, and what it says.
TEXTS = [
    (in_kernel("ret;", "mma.sync.aligned.m8n8k4 %r1;"), 7, "does not know this instruction"),
    (
        in_kernel("add.rn.sometimes.f32 %r1, %r1, %r2;"),
        6,
        "does not know the modifier '.sometimes'",
    ),
    (in_kernel("add.f16x2 %r1, %r1, %r2;"), 6, "expected one of the modifiers"),
    (in_kernel("add.u32 %r1, %r9, %r2;"), 6, "expected a register instead of '%r9'"),
    (in_kernel("add.u64 %r1, %r1, %r2;"), 6, "a register of 32 bits holds no u64"),
    (in_kernel("ld.param.u64 %r1, [k_a];"), 6, "8 bytes at 0 of 4 in k_a"),
    (in_kernel("add.u32 %r1, %r1;"), 6, "expected at least 3 operands"),
    (in_kernel("add.u32 %r1, %r1, %r2, %r3;"), 6, "does not know what operand 3 is for"),
    (in_kernel("add.u32 %r1, %p, %r1;"), 6, "a predicate and a number are mixed"),
    (in_kernel("call %r1, (%r2);"), 6, "calls through a pointer"),
    (in_kernel("call elsewhere, ();"), 6, "there is no function 'elsewhere'"),
    (in_kernel("bra $nowhere;"), 6, "there is no label '$nowhere'"),
    (in_kernel("mov.u32 %r1, #;"), 6, "not PTX"),
    (in_kernel("mov.u32 %r1, 1"), 7, "expected ','"),
    (in_kernel("mov.b64 {}, %r1;"), 6, "64 bits have no 0 parts"),
    (in_kernel('.pragma "nounroll"'), 7, "expected ';'"),
    (in_kernel(".reg .b32 %many<9999999999>;"), 6, "9999999999 registers; there may be"),
    (f"{HEAD}.section .debug {{\n", 4, "expected '}'"),
    (f"{HEAD}.global .u32 pointer = other;\n", 4, "cannot hold the address of 'other'"),
    (f"{HEAD}.global .texref image;\n", 4, "expected a type"),
    (f"{HEAD}.visible .entry k() {{ ret;\n", 4, "expected '}'"),
    ("hello\n", 1, "expected one of .global"),
]


@pytest.mark.parametrize(("text", "line", "says"), TEXTS)
def test_ptx_that_is_not_understood_is_an_error_with_its_line(
    load: Callable[[str, str], Program], text: str, line: int, says: str
) -> None:
    with pytest.raises(PtxError, match=re.escape(says)) as caught:
        load(text, "wrong.ptx")
    assert f"wrong.ptx:{line}: " in str(caught.value)


def test_an_unknown_instruction_names_the_line_of_the_source_too(
    load: Callable[[str, str], Program], tmp_path: Path
) -> None:
    source = tmp_path / "unknown.cu"
    source.write_text(
        'extern "C" __global__ void k(unsigned* x) {\n'
        '  asm volatile("fns.b32 %0, %0, 0, 1;" : "+r"(*x));\n'
        "}\n"
    )
    ptx = nvcc_ptx(source, 80)
    with pytest.raises(PtxError, match=r"fns\.b32: .*unknown\.cu:2\)"):
        load(ptx, "unknown.ptx")
