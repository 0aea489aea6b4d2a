// Runs a grid, block after block; in a block each thread until it must wait, round after round.
#pragma once
#include <stdlib.h>
#include <sys/mman.h>

#include "ptx_memory.h"

static __thread const PtxKernel *starting_kernel;
static __thread Thread *starting;

static void run_thread(void) {
  Thread *const T = starting;
  starting_kernel->entry(T, T->block->launch->parameters);
  end_thread(T);
}

static void start_thread(Block *block, u32 number) {
  Thread *const T = &block->threads[number];
  const u32 *const size = block->launch->block;
  T->index[0] = number % size[0];
  T->index[1] = number / size[0] % size[1];
  T->index[2] = number / size[0] / size[1];
  T->lane = number % WARP_SIZE, T->warp = number / WARP_SIZE;
  T->block = block;
  T->local_top = T->local;
  T->is_done = false;
  getcontext(&T->context);
  T->context.uc_stack.ss_sp = T->stack;
  T->context.uc_stack.ss_size = STACK_BYTES;
  makecontext(&T->context, run_thread, 0);
}

// All threads once, as far as they come. False: nobody came any further.
static bool run_round(Block *block) {
  const u64 before = block->progress;
  for (u32 i = 0; i < block->thread_count && !block->has_failed; i++) {
    starting = &block->threads[i];
    if (!starting->is_done) swapcontext(&block->scheduler, &starting->context);
  }
  return block->progress != before;
}

static void report_deadlock(Block *block) {
  const Thread *first = block->threads;
  while (first->is_done) first++;
  const Launch *launch = block->launch;
  const int n = write_place(first, first->waits_at);
  snprintf(launch->message + n, launch->message_bytes - (u64)n,
           "deadlock: waits for %s, and %u threads wait in all", first->waits_for, block->live);
  block->has_failed = true;
}

static void run_block(Block *block) {
  const u32 threads = block->thread_count, warps = (threads + WARP_SIZE - 1) / WARP_SIZE;
  memset(block->barriers, 0, sizeof(block->barriers));
  memset(block->warps, 0, warps * sizeof(Warp));
  memset(block->shared, UNWRITTEN, block->launch->shared_bytes);
  if (threads % WARP_SIZE) block->warps[warps - 1].ended = ~0u << threads % WARP_SIZE;
  block->live = threads;
  for (u32 i = 0; i < threads; i++) start_thread(block, i);
  while (block->live && !block->has_failed)
    if (!run_round(block) && !block->has_failed) report_deadlock(block);
}

// Every thread's stack and local memory, pages taken when they are first used.
static u8 *map_stacks(u64 bytes) {
  u8 *const stacks =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return stacks == MAP_FAILED ? NULL : stacks;
}

// 0 when all blocks are done; else launch->message tells why not.
int ptx_launch(const PtxKernel *kernel, const Launch *launch) {
  const u32 threads = launch->block[0] * launch->block[1] * launch->block[2];
  const u64 bytes = (u64)threads * (STACK_BYTES + LOCAL_BYTES);
  Block block = {.launch = launch, .thread_count = threads};
  u8 *const stacks = map_stacks(bytes);
  block.shared = aligned_alloc(256, (launch->shared_bytes + 511) / 256 * 256);
  block.threads = calloc(threads, sizeof(Thread));
  block.warps = calloc((threads + WARP_SIZE - 1) / WARP_SIZE, sizeof(Warp));
  if (!stacks || !block.shared || !block.threads || !block.warps) abort();
  for (u32 i = 0; i < threads; i++) {
    Thread *const T = &block.threads[i];
    T->stack = stacks + (u64)i * (STACK_BYTES + LOCAL_BYTES);
    T->local = T->stack + STACK_BYTES;
    T->local_end = T->local + LOCAL_BYTES;
  }
  starting_kernel = kernel;
  u32 *const at = block.index;
  for (at[2] = 0; at[2] < launch->grid[2] && !block.has_failed; at[2]++)
    for (at[1] = 0; at[1] < launch->grid[1] && !block.has_failed; at[1]++)
      for (at[0] = 0; at[0] < launch->grid[0] && !block.has_failed; at[0]++) run_block(&block);
  munmap(stacks, bytes);
  free(block.shared), free(block.threads), free(block.warps);
  return block.has_failed;
}
