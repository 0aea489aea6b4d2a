"""The real PyCUDA on the double: what works on a GPU works, what does not is refused in words."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .control import Double

pytestmark = pytest.mark.libcuda_double

COUNT = 100
WORDS = np.arange(COUNT, dtype=np.uint32)
LINE = (128, 1, 1)
TEN = np.uint32(10)


def on_device(cuda: Any, array: np.ndarray) -> Any:
    memory = cuda.mem_alloc(array.nbytes)
    cuda.memcpy_htod(memory, array)
    return memory


def from_device(cuda: Any, memory: Any, count: int = COUNT) -> np.ndarray:
    array = np.empty(count, np.uint32)
    cuda.memcpy_dtoh(array, memory)
    return array


def test_a_kernel_adds_to_what_was_uploaded(cuda: Any, module: Any) -> None:
    memory = on_device(cuda, WORDS)
    module.get_function("add")(memory, np.uint32(COUNT), TEN, block=LINE, grid=(1, 1))
    np.testing.assert_array_equal(from_device(cuda, memory), WORDS + 10)


def test_memory_is_full_of_garbage_at_first(cuda: Any, context: Any) -> None:
    assert (from_device(cuda, cuda.mem_alloc(4 * COUNT)) == 0xA5A5A5A5).all()


def test_memory_is_filled_by_bytes_and_by_words(cuda: Any, context: Any) -> None:
    memory = on_device(cuda, WORDS)
    cuda.memset_d8(memory, 1, 8)
    cuda.memset_d32(int(memory) + 8, 7, 2)
    expected = [0x01010101, 0x01010101, 7, 7, *WORDS[4:]]
    np.testing.assert_array_equal(from_device(cuda, memory), expected)


def test_variables_of_a_module_are_reached_by_name(cuda: Any, module: Any) -> None:
    address, size = module.get_global("step")
    assert size == 4
    cuda.memcpy_htod(address, np.array([3], np.uint32))
    memory = on_device(cuda, WORDS)
    for _ in range(2):
        module.get_function("add_step")(memory, block=(COUNT, 1, 1))
    np.testing.assert_array_equal(from_device(cuda, memory), WORDS + 6)
    assert from_device(cuda, module.get_global("launches")[0], 1) == 2


def test_a_module_that_is_loaded_again_has_variables_of_its_own(
    cuda: Any, module: Any, ptx: bytes
) -> None:
    cuda.memcpy_htod(module.get_global("step")[0], np.array([3], np.uint32))
    again = cuda.module_from_buffer(ptx)
    assert from_device(cuda, again.get_global("step")[0], 1) == 0


def test_memory_that_is_given_back_is_free_again(cuda: Any, context: Any, libcuda: Double) -> None:
    libcuda.set_memory(1000)
    first = cuda.mem_alloc(600)
    assert cuda.mem_get_info() == (400, 1000)
    with pytest.raises(cuda.MemoryError, match="out of memory"):
        cuda.mem_alloc(401)
    first.free()
    assert cuda.mem_get_info() == (1000, 1000)
    cuda.mem_alloc(1000)


def too_small_arguments(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("add")(memory, np.uint32(COUNT), block=LINE)


def misplaced_arguments(cuda: Any, module: Any, memory: Any) -> None:
    """PyCUDA aligns a structure to nothing: four bytes before it are followed by no gap."""
    packed = np.zeros(1, "V8")[0]
    module.get_function("add")(TEN, packed, block=LINE)


def too_many_threads(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("add")(memory, np.uint32(COUNT), TEN, block=(1025, 1, 1))


def more_threads_than_the_kernel_takes(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("at_most_64")(memory, block=(65, 1, 1))


def too_high_a_grid(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("add")(memory, np.uint32(COUNT), TEN, block=LINE, grid=(1, 65536))


def no_blocks(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("add")(memory, np.uint32(COUNT), TEN, block=LINE, grid=(0, 1))


def too_much_shared_memory(cuda: Any, module: Any, memory: Any) -> None:
    add = module.get_function("add")
    add(memory, np.uint32(COUNT), TEN, block=LINE, shared=49153)


def an_unknown_kernel(cuda: Any, module: Any, memory: Any) -> None:
    module.get_function("subtract")


def an_unknown_variable(cuda: Any, module: Any, memory: Any) -> None:
    module.get_global("offset")


def an_upload_past_the_end(cuda: Any, module: Any, memory: Any) -> None:
    cuda.memcpy_htod(int(memory) + 4, WORDS)


def a_download_past_the_end(cuda: Any, module: Any, memory: Any) -> None:
    from_device(cuda, memory, COUNT + 1)


def a_fill_past_the_end(cuda: Any, module: Any, memory: Any) -> None:
    cuda.memset_d8(memory, 0, 4 * COUNT + 1)


def a_misaligned_fill(cuda: Any, module: Any, memory: Any) -> None:
    cuda.memset_d32(int(memory) + 2, 0, 1)


def an_upload_to_freed_memory(cuda: Any, module: Any, memory: Any) -> None:
    address = int(memory)
    memory.free()
    cuda.memcpy_htod(address, WORDS)


def no_memory_at_all(cuda: Any, module: Any, memory: Any) -> None:
    cuda.mem_alloc(0)


def a_cubin(cuda: Any, module: Any, memory: Any) -> None:
    cuda.module_from_buffer(b"\x7fELF and machine code")


def a_fatbin(cuda: Any, module: Any, memory: Any) -> None:
    cuda.module_from_buffer(b"\x50\xed\x55\xba and what it holds")


def text_that_is_no_ptx(cuda: Any, module: Any, memory: Any) -> None:
    cuda.module_from_buffer(b"this is no PTX")


def a_file_that_is_not_there(cuda: Any, module: Any, memory: Any) -> None:
    cuda.module_from_file("/nowhere/pathtrace.cubin")


def an_asynchronous_copy_of_ordinary_memory(cuda: Any, module: Any, memory: Any) -> None:
    cuda.memcpy_htod_async(memory, WORDS, cuda.Stream())


def a_call_that_is_not_modelled(cuda: Any, module: Any, memory: Any) -> None:
    cuda.mem_alloc_pitch(64, 64, 4)


MISTAKES = [
    (too_small_arguments, "invalid argument", "add: the arguments take 12 bytes, .* parameters 16"),
    (misplaced_arguments, "invalid argument", "add: the arguments take 12 bytes, .* parameters 16"),
    (too_many_threads, "invalid argument", "add: a block of 1025 x 1 x 1 threads.* 1024"),
    (more_threads_than_the_kernel_takes, "invalid argument", "at_most_64: .*65.*may have 64"),
    (too_high_a_grid, "invalid argument", "add: a grid of 1 x 65536 x 1 blocks"),
    (no_blocks, "invalid argument", "add: a grid of 0 x 1 x 1 blocks"),
    (too_much_shared_memory, "invalid argument", "49153 bytes of shared memory; .* use 49152"),
    (an_unknown_kernel, "named symbol not found", "no kernel 'subtract'"),
    (an_unknown_variable, "named symbol not found", "no variable 'offset'"),
    (an_upload_past_the_end, "invalid argument", "400 bytes at byte 4 of an allocation of 400"),
    (a_download_past_the_end, "invalid argument", "404 bytes at byte 0 of an allocation of 400"),
    (a_fill_past_the_end, "invalid argument", "401 bytes at byte 0 of an allocation of 400"),
    (a_misaligned_fill, "invalid argument", "is misaligned"),
    (an_upload_to_freed_memory, "invalid argument", "this context has no memory, or has freed it"),
    (no_memory_at_all, "invalid argument", "of no bytes"),
    (a_cubin, "no kernel image is available", "machine code"),
    (a_fatbin, "no kernel image is available", "machine code"),
    (text_that_is_no_ptx, "PTX JIT compilation failed", "no PTX that can be run"),
    (a_file_that_is_not_there, "file not found", "no file /nowhere/pathtrace.cubin"),
    (an_asynchronous_copy_of_ordinary_memory, "invalid argument", "not page-locked"),
    (a_call_that_is_not_modelled, "not supported", "cuMemAllocPitch_v2 is not modelled"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mistake", "error", "says"), MISTAKES, ids=[row[0].__name__ for row in MISTAKES]
)
def test_a_mistake_is_refused_and_the_context_goes_on(
    cuda: Any, module: Any, libcuda: Double, mistake: Any, error: str, says: str
) -> None:
    memory = on_device(cuda, WORDS)
    with pytest.raises(cuda.Error, match=f"{error}.*({says})"):
        mistake(cuda, module, memory)
    assert len(libcuda.take_mistakes()) == 1
    other = on_device(cuda, WORDS)
    np.testing.assert_array_equal(from_device(cuda, other), WORDS)
    cuda.Context.synchronize()


def beyond_the_end(module: Any, memory: Any) -> None:
    module.get_function("add")(memory, np.uint32(COUNT + 1), TEN, block=LINE)


def misaligned(module: Any, memory: Any) -> None:
    module.get_function("misaligned")(memory, block=(1, 1, 1))


def freed(module: Any, memory: Any) -> None:
    address = np.uintp(int(memory))
    memory.free()
    module.get_function("add")(address, np.uint32(COUNT), TEN, block=LINE)


def endless(module: Any, memory: Any) -> None:
    module.get_function("endless")(memory, block=(32, 1, 1))


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (beyond_the_end, "an illegal memory access", r"arithmetic\.cu:\d+: .*thread \(100, 0, 0\)"),
        (freed, "an illegal memory access", r"add: .*arithmetic\.cu:\d+: .*thread \(0, 0, 0\)"),
        (misaligned, "misaligned address", r"misaligned write of 4 bytes"),
        (endless, "timed out", "deadlock"),
    ],
)
def test_a_fault_of_a_kernel_is_told_late_and_spoils_its_context_for_good(
    cuda: Any, module: Any, libcuda: Double, fault: Any, error: str, says: str
) -> None:
    other = on_device(cuda, WORDS)
    fault(module, on_device(cuda, WORDS))
    for _ in range(2):
        with pytest.raises(cuda.Error, match=f"{error}.*{says}"):
            cuda.Context.synchronize()
    with pytest.raises(cuda.Error, match=error):
        from_device(cuda, other)
    with pytest.raises(cuda.Error, match=error):
        cuda.mem_alloc(4)
    assert len(libcuda.take_mistakes()) == 1


def test_another_context_is_not_spoilt(cuda: Any, module: Any, libcuda: Double) -> None:
    beyond_the_end(module, on_device(cuda, WORDS))
    with pytest.raises(cuda.Error):
        cuda.Context.synchronize()
    other = cuda.Device(0).make_context()
    np.testing.assert_array_equal(from_device(cuda, on_device(cuda, WORDS)), WORDS)
    other.pop()
    other.detach()
    libcuda.take_mistakes()


def test_a_context_does_not_see_what_is_anothers(cuda: Any, module: Any, libcuda: Double) -> None:
    memory, stream, add = on_device(cuda, WORDS), cuda.Stream(), module.get_function("add")
    address = np.uintp(int(memory))
    other = cuda.Device(0).make_context()
    own = on_device(cuda, WORDS)
    with pytest.raises(cuda.Error, match="this context has no memory"):
        from_device(cuda, memory)
    with pytest.raises(cuda.Error, match="the kernel's module was unloaded, or is another"):
        add(own, np.uint32(COUNT), TEN, block=LINE)
    with pytest.raises(cuda.Error, match="the stream was destroyed, or is another context's"):
        cuda.memset_d8_async(own, 0, 4, stream)
    assert len(libcuda.take_mistakes()) == 3
    own.free()
    other.pop()
    other.detach()
    assert int(address) == int(memory)
    np.testing.assert_array_equal(from_device(cuda, memory), WORDS)


def test_a_buffer_left_behind_is_told_at_the_end(cuda: Any, context: Any, libcuda: Double) -> None:
    other = cuda.Device(0).make_context()
    kept = cuda.mem_alloc(1000)
    other.pop()
    other.detach()
    (leak,) = libcuda.take_mistakes()
    assert leak == "a context ends with 1 allocations of 1000 bytes that nobody freed"
    assert libcuda.memory_used == 0
    del kept


def test_a_call_without_a_context_is_refused(cuda: Any, libcuda: Double) -> None:
    with pytest.raises(cuda.Error, match=r"cuMemAlloc_v2 (without a current|in a destroyed) con"):
        cuda.mem_alloc(4)
    libcuda.take_mistakes()


def test_page_locked_memory_that_changes_on_its_way_is_told(
    cuda: Any, context: Any, libcuda: Double
) -> None:
    locked, stream = cuda.pagelocked_empty(COUNT, np.uint32), cuda.Stream()
    memory = cuda.mem_alloc(locked.nbytes)
    locked[:] = WORDS
    cuda.memcpy_htod_async(memory, locked, stream)
    locked[3] += 1
    stream.synchronize()
    assert libcuda.take_mistakes() == [
        "page-locked memory was changed before it was copied to the device"
    ]


def test_page_locked_memory_holds_anything_until_the_copy_is_waited_for(
    cuda: Any, context: Any
) -> None:
    locked, stream, done = cuda.pagelocked_empty(COUNT, np.uint32), cuda.Stream(), cuda.Event()
    locked[:] = WORDS
    memory = on_device(cuda, WORDS)
    cuda.memcpy_dtoh_async(locked, memory, stream)
    done.record(stream)
    assert (locked == 0xA5A5A5A5).all()
    done.synchronize()
    np.testing.assert_array_equal(locked, WORDS)


def test_a_file_of_ptx_is_loaded_too(cuda: Any, context: Any, ptx: bytes, tmp_path: Path) -> None:
    file = tmp_path / "arithmetic.ptx"
    file.write_bytes(ptx)
    memory = on_device(cuda, WORDS)
    add = cuda.module_from_file(str(file)).get_function("add")
    add(memory, np.uint32(COUNT), TEN, block=LINE)
    np.testing.assert_array_equal(from_device(cuda, memory), WORDS + 10)
    gc.collect()
