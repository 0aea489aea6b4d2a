// What a translated module shows to those who launch its kernels: ptx_kernels and ptx_variables, tables
// that end with a row without a name, and ptx_launch. abi.py has the same structs.
#pragma once
#include "ptx_types.h"

typedef struct Thread Thread;

// Memory that a kernel may use: [start, end).
typedef struct {
  u64 start, end;
  u32 is_writable;
} Range;

// What the host asks for.
typedef struct {
  u32 grid[3], block[3];
  u32 shared_bytes;
  u32 range_count;
  const Range *ranges;  // ascending, apart from each other
  u8 *parameters;
  u64 parameter_bytes;
  char *message;  // of the error that ended the launch
  u64 message_bytes;
} Launch;

typedef struct {
  const char *name;
  void (*entry)(Thread *, u8 *);
  u32 parameter_count;
  const u32 *sizes, *offsets;
  u32 parameter_bytes, max_threads, static_shared_bytes;
} PtxKernel;

typedef struct {
  const char *name;
  void *address;
  u64 size;
  u32 is_writable;
} PtxVariable;
