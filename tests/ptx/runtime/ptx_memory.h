// Memory as a kernel sees it. Every access is checked: whole, aligned, within what it may use.
//
// Addresses are the host's, but in shared space they count from the start of the block's share.
#pragma once
#include "ptx_machine.h"

typedef enum { GENERIC, GLOBAL, CONST, SHARED, LOCAL, PARAM } Space;
static const char *const SPACE_NAMES[] = {"generic", "global", "constant", "shared", "local", "parameter"};

// What memory holds before anything is written to it.
enum { UNWRITTEN = 0xcd };
// Room on a C stack for a function's registers; what it calls must have as much.
enum { STACK_BYTES = 1 << 20, STACK_RESERVE = 1 << 18, LOCAL_BYTES = 1 << 16 };

#define ENTER                            \
  u8 carry = 0;                          \
  u8 *const local_frame = T->local_top;  \
  (void)carry;                           \
  if ((u8 *)__builtin_frame_address(0) < T->stack + STACK_RESERVE) FAIL("the stack is full: endless recursion?")
#define RETURN                  \
  do {                          \
    T->local_top = local_frame; \
    return;                     \
  } while (0)

static u8 *take_local_memory(Thread *T, u32 size, u32 alignment, const char *file, int line) {
  u8 *const start = (u8 *)(((u64)T->local_top + alignment - 1) / alignment * alignment);
  if (start + size > T->local_end) fail(T, file, line, "local memory is full: endless recursion?");
  T->local_top = start + size;
  return memset(start, UNWRITTEN, size);
}
#define LOCAL_MEMORY(size, alignment) take_local_memory(T, size, alignment, __FILE__, __LINE__)

static inline bool lies_within(u64 address, u32 size, u64 start, u64 end) {
  return address >= start && address < end && end - address >= size;
}
static inline bool is_in_local(const Thread *T, u64 address, u32 size) {
  return lies_within(address, size, (u64)T->local, (u64)T->local_top);
}
static inline bool is_in_shared(const Thread *T, u64 address, u32 size) {
  const u64 start = (u64)T->block->shared;
  return lies_within(address, size, start, start + T->block->launch->shared_bytes);
}
static inline bool is_in_parameters(const Thread *T, u64 address, u32 size) {
  const u64 start = (u64)T->block->launch->parameters;
  return lies_within(address, size, start, start + T->block->launch->parameter_bytes);
}

// The last range that starts at the address or before it.
static const Range *range_before(const Launch *launch, u64 address) {
  u32 low = 0, high = launch->range_count;
  while (low < high) {
    const u32 middle = (low + high) / 2;
    if (launch->ranges[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  return low ? &launch->ranges[low - 1] : NULL;
}
static bool is_in_global(const Thread *T, u64 address, u32 size, bool writes) {
  const Range *range = range_before(T->block->launch, address);
  return range && lies_within(address, size, range->start, range->end) && (range->is_writable || !writes);
}

static bool may_access(const Thread *T, Space space, u64 address, u32 size, bool writes) {
  switch (space) {
    case SHARED: return is_in_shared(T, address, size);
    case LOCAL: return is_in_local(T, address, size);
    case PARAM: return !writes && is_in_parameters(T, address, size);
    case GENERIC:
      if (is_in_shared(T, address, size) || is_in_local(T, address, size)) return true;
      if (!writes && is_in_parameters(T, address, size)) return true;
      return is_in_global(T, address, size, writes);
    default: return is_in_global(T, address, size, writes);
  }
}

__attribute__((noreturn)) static void refuse_access(Thread *T, Space space, u64 address, u32 size, bool writes,
                                                    const char *file, int line) {
  const char *const what = writes ? "write" : "read", *const where = SPACE_NAMES[space];
  const Range *range = range_before(T->block->launch, address);
  const u64 shown = space == SHARED ? address - (u64)T->block->shared : address;
  if (address % size)
    fail(T, file, line, "misaligned %s of %u bytes at %#llx in %s memory", what, size, (long long)shown, where);
  if (space == SHARED)
    fail(T, file, line, "%s of %u bytes out of bounds, at %lld of %u bytes of shared memory", what, size,
         (long long)shown, T->block->launch->shared_bytes);
  if (range && is_in_global(T, address, size, false))
    fail(T, file, line, "write of %u bytes to constant memory", size);
  if (range)
    fail(T, file, line, "%s of %u bytes out of bounds in %s memory, at byte %lld of an allocation of %lld", what,
         size, where, (long long)(address - range->start), (long long)(range->end - range->start));
  fail(T, file, line, "%s of %u bytes out of bounds at %#llx in %s memory", what, size, (long long)shown, where);
}

static u8 *accessible(Thread *T, Space space, u64 address, u32 size, bool writes, const char *file, int line) {
  if (space == SHARED) address += (u64)T->block->shared;
  if (address % size || !may_access(T, space, address, size, writes))
    refuse_access(T, space, address, size, writes, file, line);
  return (u8 *)address;
}
#define READABLE(space, address, size) accessible(T, space, address, size, false, __FILE__, __LINE__)
#define WRITABLE(space, address, size) accessible(T, space, address, size, true, __FILE__, __LINE__)

#define SHARED_BASE (u64) T->block->shared
static inline bool is_in_space(const Thread *T, Space space, u64 address) {
  if (space == GLOBAL || space == CONST)
    return !is_in_shared(T, address, 1) && !is_in_local(T, address, 1) && !is_in_parameters(T, address, 1);
  return may_access(T, space, address, 1, false);
}
#define IS_IN_SPACE(space, address) is_in_space(T, space, address)
