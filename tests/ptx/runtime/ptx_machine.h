// The machine: a launch of blocks of threads. Each thread is a context of its own, with a C stack
// and local memory; one runs at a time, until it ends, fails, or waits for others.
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <ucontext.h>

#include "ptx_abi.h"

enum { WARP_SIZE = 32, MAX_BARRIERS = 16 };

// A line of the source; the translated module says which by #line.
typedef struct {
  const char *file;
  int line;
} Place;
#define HERE ((Place){__FILE__, __LINE__})

typedef struct Block Block;

// Lanes that wait for each other, and what they bring.
typedef struct {
  u32 arrived, ended;
  u32 masks[WARP_SIZE];
  const char *purposes[WARP_SIZE];
  u64 values[WARP_SIZE];
} Warp;

typedef struct {
  u32 arrived, holding, generation;
  u32 threads_before, holding_before;  // of the generation that was released last
} Barrier;

struct Thread {
  u32 index[3], lane, warp;
  Block *block;
  u8 *stack, *local, *local_top, *local_end;
  ucontext_t context;
  bool is_done;
  // While waiting: for what, and where.
  const char *waits_for;
  Place waits_at;
  // After a meeting of lanes: who took part, and what they brought.
  bool has_met;
  u32 met_lanes;
  u64 met_values[WARP_SIZE];
};

struct Block {
  const Launch *launch;
  u32 index[3];
  u8 *shared;
  Thread *threads;
  Warp *warps;
  Barrier barriers[MAX_BARRIERS];
  u32 thread_count, live;
  u64 progress;  // grows whenever a thread ends or some stop waiting
  bool has_failed;
  ucontext_t scheduler;
};

// The start of every message: line, block and thread. Returns its length.
static int write_place(const Thread *T, Place at) {
  const Launch *launch = T->block->launch;
  const u32 *b = T->block->index, *t = T->index;
  return snprintf(launch->message, launch->message_bytes,
                  "%s:%d: block (%u, %u, %u), thread (%u, %u, %u): ", at.file, at.line, b[0], b[1],
                  b[2], t[0], t[1], t[2]);
}

// Ends the launch with a message.
_Noreturn static void fail(Thread *T, Place at, const char *format, ...) {
  const Launch *launch = T->block->launch;
  const int n = write_place(T, at);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(launch->message + n, launch->message_bytes - (u64)n, format, arguments);
  va_end(arguments);
  T->block->has_failed = true;
  setcontext(&T->block->scheduler);
  __builtin_unreachable();
}
#define FAIL(...) fail(T, HERE, __VA_ARGS__)

_Noreturn static void end_thread(Thread *T) {
  T->is_done = true;
  T->block->live--;
  T->block->progress++;
  T->block->warps[T->warp].ended |= 1u << T->lane;
  setcontext(&T->block->scheduler);
  __builtin_unreachable();
}

// Lets the others run.
static void wait_for(Thread *T, const char *what, Place at) {
  T->waits_for = what, T->waits_at = at;
  swapcontext(&T->context, &T->block->scheduler);
}
