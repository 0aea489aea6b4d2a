// Memory as a kernel sees it. Every access is checked: whole, aligned, within what it may use.
//
// Addresses are the host's, but in shared space they count from the start of the block's share.
#pragma once
#include "ptx_machine.h"

typedef enum { GENERIC, GLOBAL, CONST, SHARED, LOCAL, PARAM } Space;
static const char *const SPACE_NAMES[] = {"generic", "global", "constant",
                                          "shared",  "local",  "parameter"};

// What memory holds before anything is written to it.
enum { UNWRITTEN = 0xcd };
// Room on a C stack for a function's registers; what it calls must have as much.
enum { STACK_BYTES = 1 << 20, STACK_RESERVE = 1 << 18, LOCAL_BYTES = 1 << 16 };

#define ENTER                                                      \
  u8 carry = 0;                                                    \
  u8 *const local_frame = T->local_top;                            \
  (void)carry;                                                     \
  if ((u8 *)__builtin_frame_address(0) < T->stack + STACK_RESERVE) \
  FAIL("the stack is full: endless recursion?")
#define RETURN                  \
  do {                          \
    T->local_top = local_frame; \
    return;                     \
  } while (0)

static u8 *take_local_memory(Thread *T, u32 size, u32 alignment, Place at) {
  u8 *const start = (u8 *)(((u64)T->local_top + alignment - 1) / alignment * alignment);
  if (start + size > T->local_end) fail(T, at, "local memory is full: endless recursion?");
  T->local_top = start + size;
  return memset(start, UNWRITTEN, size);
}
#define LOCAL_MEMORY(size, alignment) take_local_memory(T, size, alignment, HERE)

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
    if (launch->ranges[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? &launch->ranges[low - 1] : NULL;
}
static bool is_in_global(const Thread *T, u64 address, u32 size, bool writes) {
  const Range *range = range_before(T->block->launch, address);
  if (!range || (writes && !range->is_writable)) return false;
  return lies_within(address, size, range->start, range->end);
}

// The address is the host's, in shared space too.
typedef struct {
  Space space;
  u64 address;
  u32 size;
  bool writes;
} Access;

static bool is_allowed(const Thread *T, Access a) {
  const bool may_be_parameter = !a.writes && is_in_parameters(T, a.address, a.size);
  switch (a.space) {
    case SHARED:
      return is_in_shared(T, a.address, a.size);
    case LOCAL:
      return is_in_local(T, a.address, a.size);
    case PARAM:
      return may_be_parameter;
    case GENERIC:
      return may_be_parameter || is_in_shared(T, a.address, a.size) ||
             is_in_local(T, a.address, a.size) || is_in_global(T, a.address, a.size, a.writes);
    default:
      return is_in_global(T, a.address, a.size, a.writes);
  }
}

// Says what is wrong with an access, and how far it is from memory that it may have meant.
_Noreturn static void refuse(Thread *T, Access a, Place at) {
  const char *const what = a.writes ? "write" : "read", *const where = SPACE_NAMES[a.space];
  const Range *range = range_before(T->block->launch, a.address);
  if (a.address % a.size)
    fail(T, at, "misaligned %s of %u bytes in %s memory, at %#llx", what, a.size, where,
         (long long)a.address);
  if (a.space == SHARED)
    fail(T, at, "%s of %u bytes out of bounds, at %lld of %u bytes of shared memory", what, a.size,
         (long long)(a.address - (u64)T->block->shared), T->block->launch->shared_bytes);
  if (a.space == LOCAL || a.space == PARAM)
    fail(T, at, "%s of %u bytes out of bounds in %s memory", what, a.size, where);
  if (is_in_global(T, a.address, a.size, false))
    fail(T, at, "write of %u bytes to constant memory", a.size);
  if (range)
    fail(T, at, "%s of %u bytes out of bounds in %s memory, at byte %lld of an allocation of %lld",
         what, a.size, where, (long long)(a.address - range->start),
         (long long)(range->end - range->start));
  fail(T, at, "%s of %u bytes out of bounds in %s memory, at %#llx", what, a.size, where,
       (long long)a.address);
}

static u8 *accessible(Thread *T, Access a, Place at) {
  if (a.space == SHARED) a.address += (u64)T->block->shared;
  if (a.address % a.size || !is_allowed(T, a)) refuse(T, a, at);
  return (u8 *)a.address;
}
#define READABLE(space, address, size) accessible(T, (Access){space, address, size, false}, HERE)
#define WRITABLE(space, address, size) accessible(T, (Access){space, address, size, true}, HERE)

#define SHARED_BASE ((u64)T->block->shared)
static inline bool is_in_space(const Thread *T, Space space, u64 address) {
  const bool is_elsewhere =
      is_in_shared(T, address, 1) || is_in_local(T, address, 1) || is_in_parameters(T, address, 1);
  if (space == GLOBAL || space == CONST) return !is_elsewhere;
  return is_allowed(T, (Access){space, address, 1, false});
}
#define IS_IN_SPACE(space, address) is_in_space(T, space, address)
