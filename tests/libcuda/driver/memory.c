// Memory of the device, which is memory of the host whose bounds are kept, and page-locked memory.
#include <stdlib.h>
#include <string.h>

#include "state.h"

// Alignment is the driver's. Between two allocations, and before the first, lies what nobody may use.
enum { ALIGNMENT = 512, GAP = 4096 };

uint64_t memory_total = 4ull << 30, memory_used;

static bool holds(uint64_t start, uint64_t size, uint64_t address, size_t bytes) {
  return address >= start && bytes <= size && address - start <= size - bytes;
}

static Allocation *allocation_with(CUcontext context, uint64_t address, size_t bytes) {
  for (Allocation *a = context->allocations; a; a = a->next)
    if (holds(a->start, a->size, address, bytes)) return a;
  return NULL;
}

static bool is_in_variable(CUcontext context, uint64_t address, size_t bytes) {
  for (CUmodule module = context->modules; module; module = module->next)
    for (const PtxVariable *v = module->variables; v->name; v++)
      if (holds((uint64_t)v->address, v->size, address, bytes)) return true;
  return false;
}

static Allocation *nearest_before(CUcontext context, uint64_t address) {
  Allocation *nearest = NULL;
  for (Allocation *a = context->allocations; a; a = a->next)
    if (a->start <= address && (!nearest || a->start > nearest->start)) nearest = a;
  return nearest;
}

CUresult check_device(CUcontext context, const char *function, CUdeviceptr start, size_t bytes) {
  if (bytes == 0 || allocation_with(context, start, bytes) || is_in_variable(context, start, bytes))
    return CUDA_SUCCESS;
  const Allocation *nearest = nearest_before(context, start);
  if (nearest && start < nearest->start + nearest->size)
    return mistake(CUDA_ERROR_INVALID_VALUE, "%s: %zu bytes at byte %llu of an allocation of %llu",
                   function, bytes, (unsigned long long)(start - nearest->start),
                   (unsigned long long)nearest->size);
  return mistake(CUDA_ERROR_INVALID_VALUE,
                 "%s: %zu bytes at %#llx, where this context has no memory, or has freed it",
                 function, bytes, (unsigned long long)start);
}

bool is_page_locked(CUcontext context, const void *start, size_t bytes) {
  const Allocation *found = allocation_with(context, (uint64_t)start, bytes);
  return found && found->is_on_host;
}

static Allocation *add(CUcontext context, uint64_t start, size_t bytes, bool is_on_host) {
  Allocation *allocation = calloc(1, sizeof *allocation);
  *allocation = (Allocation){.start = start, .size = bytes, .is_on_host = is_on_host};
  PUSH(context->allocations, allocation);
  return allocation;
}

// NULL if the machine itself has no room.
static Allocation *allocate(CUcontext context, size_t bytes, bool is_on_host) {
  uint8_t *block = malloc(bytes + 2 * GAP + ALIGNMENT);
  if (!block) return NULL;
  const uint64_t start = ((uint64_t)block + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset((void *)start, UNWRITTEN, bytes);
  Allocation *allocation = add(context, start, bytes, is_on_host);
  allocation->block = block;
  if (!is_on_host) memory_used += bytes;
  return allocation;
}

static void release(CUcontext context, Allocation *allocation) {
  REMOVE(context->allocations, allocation);
  if (!allocation->is_on_host) memory_used -= allocation->size;
  free(allocation->block);
  free(allocation);
}

void free_all_memory(CUcontext context) {
  while (context->allocations) release(context, context->allocations);
}

static int by_start(const void *a, const void *b) {
  const uint64_t left = ((const Range *)a)->start, right = ((const Range *)b)->start;
  return (left > right) - (left < right);
}

// All that a kernel may use, in order, to be freed by the caller.
Range *usable_ranges(CUcontext context, uint32_t *count) {
  uint32_t n = 0;
  for (Allocation *a = context->allocations; a; a = a->next) n++;
  for (CUmodule m = context->modules; m; m = m->next)
    for (const PtxVariable *v = m->variables; v->name; v++) n++;
  Range *ranges = calloc(n + 1, sizeof *ranges), *at = ranges;
  for (Allocation *a = context->allocations; a; a = a->next)
    *at++ = (Range){a->start, a->start + a->size, true};
  for (CUmodule m = context->modules; m; m = m->next)
    for (const PtxVariable *v = m->variables; v->name; v++)
      *at++ = (Range){(uint64_t)v->address, (uint64_t)v->address + v->size, v->is_writable};
  qsort(ranges, n, sizeof *ranges, by_start);
  *count = n;
  return ranges;
}

CUresult cuMemAlloc(CUdeviceptr *start, size_t bytes) {
  ENTER_CONTEXT(context);
  REQUIRE(bytes, CUDA_ERROR_INVALID_VALUE, "%s of no bytes", __func__);
  if (bytes > memory_total - memory_used) return CUDA_ERROR_OUT_OF_MEMORY;
  Allocation *allocation = allocate(context, bytes, false);
  if (!allocation) return CUDA_ERROR_OUT_OF_MEMORY;
  *start = allocation->start;
  return CUDA_SUCCESS;
}

// Waits for all that may use the memory.
CUresult cuMemFree(CUdeviceptr start) {
  ENTER_CONTEXT(context);
  if (!start) return CUDA_SUCCESS;
  Allocation *allocation = allocation_with(context, start, 0);
  REQUIRE(allocation && allocation->start == start && !allocation->is_on_host,
          CUDA_ERROR_INVALID_VALUE, "%s: no allocation starts at %#llx, or it was freed", __func__,
          (unsigned long long)start);
  const CUresult finished = finish_context(context);
  release(context, allocation);
  return finished;
}

CUresult cuMemGetInfo(size_t *free_bytes, size_t *total) {
  ENTER_CONTEXT(context);
  *total = memory_total;
  *free_bytes = memory_used < memory_total ? memory_total - memory_used : 0;
  return CUDA_SUCCESS;
}

CUresult cuMemGetAddressRange(CUdeviceptr *start, size_t *bytes, CUdeviceptr address) {
  ENTER_CONTEXT(context);
  const Allocation *found = allocation_with(context, address, 1);
  REQUIRE(found, CUDA_ERROR_NOT_FOUND, "%s: %#llx lies in no allocation", __func__,
          (unsigned long long)address);
  if (start) *start = found->start;
  if (bytes) *bytes = found->size;
  return CUDA_SUCCESS;
}

CUresult cuMemHostAlloc(void **start, size_t bytes, unsigned flags) {
  ENTER_CONTEXT(context);
  (void)flags;
  REQUIRE(bytes, CUDA_ERROR_INVALID_VALUE, "%s of no bytes", __func__);
  Allocation *allocation = allocate(context, bytes, true);
  if (!allocation) return CUDA_ERROR_OUT_OF_MEMORY;
  *start = (void *)allocation->start;
  return CUDA_SUCCESS;
}

CUresult cuMemAllocHost(void **start, size_t bytes) { return cuMemHostAlloc(start, bytes, 0); }

CUresult cuMemHostRegister(void *start, size_t bytes, unsigned flags) {
  ENTER_CONTEXT(context);
  (void)flags;
  REQUIRE(start && bytes, CUDA_ERROR_INVALID_VALUE, "%s of nothing", __func__);
  add(context, (uint64_t)start, bytes, true);
  return CUDA_SUCCESS;
}

// The driver need not wait here for copies that use the memory, so a caller must have.
static CUresult unlock(const char *function, void *start, bool is_registered) {
  ENTER_CONTEXT(context);
  Allocation *allocation = allocation_with(context, (uint64_t)start, 0);
  REQUIRE(allocation && allocation->start == (uint64_t)start && allocation->is_on_host &&
              !allocation->block == is_registered,
          CUDA_ERROR_INVALID_VALUE, "%s: no such page-locked memory", function);
  CUresult result = CUDA_SUCCESS;
  if (is_waited_for(context, start, allocation->size)) {
    result = mistake(CUDA_ERROR_INVALID_VALUE,
                     "%s: page-locked memory is given back before its copy is done", function);
    finish_context(context);
  }
  release(context, allocation);
  return result;
}

CUresult cuMemFreeHost(void *start) { return unlock(__func__, start, false); }
CUresult cuMemHostUnregister(void *start) { return unlock(__func__, start, true); }

CUresult cuMemHostGetDevicePointer(CUdeviceptr *address, void *start, unsigned flags) {
  ENTER_CONTEXT(context);
  REQUIRE(flags == 0 && is_page_locked(context, start, 1), CUDA_ERROR_INVALID_VALUE,
          "%s: the memory is not page-locked", __func__);
  *address = (CUdeviceptr)start;
  return CUDA_SUCCESS;
}
