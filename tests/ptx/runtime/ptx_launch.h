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

// Memory for a block, used again by the next one. Stacks take pages when they are first used.
static bool allocate_block(Block *block, u64 stack_bytes, u8 **stacks) {
  const u32 threads = block->thread_count;
  const int protection = PROT_READ | PROT_WRITE;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  *stacks = mmap(NULL, threads * stack_bytes, protection, flags, -1, 0);
  block->shared = aligned_alloc(256, (block->launch->shared_bytes + 511) / 256 * 256);
  block->threads = calloc(threads, sizeof(Thread));
  block->warps = calloc((threads + WARP_SIZE - 1) / WARP_SIZE, sizeof(Warp));
  if (*stacks == MAP_FAILED || !block->shared || !block->threads || !block->warps) return false;
  for (u32 i = 0; i < threads; i++) {
    Thread *const T = &block->threads[i];
    T->stack = *stacks + i * stack_bytes;
    T->local = T->stack + STACK_BYTES;
    T->local_end = T->local + LOCAL_BYTES;
  }
  return true;
}

static void run_grid(Block *block, const u32 grid[3]) {
  u32 *const at = block->index;
  for (at[2] = 0; at[2] < grid[2] && !block->has_failed; at[2]++)
    for (at[1] = 0; at[1] < grid[1] && !block->has_failed; at[1]++)
      for (at[0] = 0; at[0] < grid[0] && !block->has_failed; at[0]++) run_block(block);
}

// 0 when all blocks are done; else launch->message tells why not.
int ptx_launch(const PtxKernel *kernel, const Launch *launch) {
  const u32 threads = launch->block[0] * launch->block[1] * launch->block[2];
  const u64 stack_bytes = STACK_BYTES + LOCAL_BYTES;
  Block block = {.launch = launch, .thread_count = threads};
  u8 *stacks;
  if (allocate_block(&block, stack_bytes, &stacks)) {
    starting_kernel = kernel;
    run_grid(&block, launch->grid);
  } else {
    snprintf(launch->message, launch->message_bytes, "no memory for %u threads", threads);
    block.has_failed = true;
  }
  if (stacks != MAP_FAILED) munmap(stacks, threads * stack_bytes);
  free(block.shared), free(block.threads), free(block.warps);
  return block.has_failed;
}
