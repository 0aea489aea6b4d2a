// What threads do together. Who waits lets the others run; the last one to come releases all.
#pragma once
#include "ptx_machine.h"

// Threads that came to a barrier, and those whose predicate held.
typedef struct {
  u32 threads, holding;
} Count;

// Waits for `expected` threads, or for all of the block that have not ended.
static Count barrier(Thread *T, u32 number, u32 expected, bool holds, Place at) {
  if (number >= MAX_BARRIERS) fail(T, at, "barrier %u; there are %d", number, MAX_BARRIERS);
  Barrier *const b = &T->block->barriers[number];
  const u32 generation = b->generation;
  b->arrived++;
  b->holding += holds;
  while (b->generation == generation) {
    if (b->arrived >= (expected ? expected : T->block->live)) {
      b->threads_before = b->arrived, b->holding_before = b->holding;
      b->arrived = b->holding = 0;
      b->generation++;
      T->block->progress++;
    } else {
      wait_for(T, "a barrier", at);
    }
  }
  return (Count){b->threads_before, b->holding_before};
}
#define BARRIER(number, expected) barrier(T, number, expected, false, HERE)
#define BARRIER_COUNT(number, holds) barrier(T, number, 0, holds, HERE)

// Gives every lane that came the values of all that came.
static void release_lanes(Block *block, u32 warp_number, u32 lanes) {
  Warp *const warp = &block->warps[warp_number];
  for (u32 lane = 0; lane < WARP_SIZE; lane++) {
    if (!(lanes >> lane & 1)) continue;
    Thread *const thread = &block->threads[warp_number * WARP_SIZE + lane];
    memcpy(thread->met_values, warp->values, sizeof(warp->values));
    thread->met_lanes = lanes;
    thread->has_met = true;
  }
  warp->arrived &= ~lanes;
  block->progress++;
}

// All lanes that came must want the same of each other.
static void check_agreement(Thread *T, u32 lanes, u32 mask, const char *purpose, Place at) {
  const Warp *const warp = &T->block->warps[T->warp];
  for (u32 lane = 0; lane < WARP_SIZE; lane++) {
    if (!(lanes >> lane & 1)) continue;
    if (warp->masks[lane] != mask)
      fail(T, at, "lanes %u and %u meet with masks %#x and %#x", T->lane, lane, mask,
           warp->masks[lane]);
    if (strcmp(warp->purposes[lane], purpose))
      fail(T, at, "lane %u is at %s, lane %u at %s", T->lane, purpose, lane, warp->purposes[lane]);
  }
}

// Waits for the lanes of the mask that have not ended; T->met_values then holds what they brought.
static void meet(Thread *T, u32 mask, u64 value, const char *purpose, Place at) {
  Warp *const warp = &T->block->warps[T->warp];
  if (!(mask >> T->lane & 1)) fail(T, at, "lane %u is not in its own mask %#x", T->lane, mask);
  warp->values[T->lane] = value, warp->masks[T->lane] = mask, warp->purposes[T->lane] = purpose;
  warp->arrived |= 1u << T->lane;
  T->has_met = false;
  while (!T->has_met) {
    const u32 lanes = warp->arrived & mask;
    if ((lanes | (warp->ended & mask)) == mask) {
      check_agreement(T, lanes, mask, purpose, at);
      release_lanes(T->block, T->warp, lanes);
    } else {
      wait_for(T, purpose, at);
    }
  }
}
#define MEET(mask, value) meet(T, mask, value, "a warp barrier", HERE)

typedef enum { UP, DOWN, BFLY, IDX } Way;
typedef struct {
  u32 value;
  u8 is_in_range;
} Shuffled;

// PTX ISA 9.0, 9.7.9.6: `clamp` holds the last lane of a segment, and which bits of a lane's number
// stay as they are.
static Shuffled shuffle(Thread *T, Way way, u32 value, u32 b, u32 clamp, u32 mask, Place at) {
  meet(T, mask, value, "a shuffle", at);
  const u32 fixed = clamp >> 8 & 31, lane = T->lane;
  const int last = (int)((lane & fixed) | (clamp & 31 & ~fixed));
  b &= 31;
  int source = (int)lane - (int)b;
  if (way == DOWN) source = (int)(lane + b);
  if (way == BFLY) source = (int)(lane ^ b);
  if (way == IDX) source = (int)((lane & fixed) | (b & ~fixed));
  const bool is_in_range = way == UP ? source >= last : source <= last;
  if (!is_in_range) source = (int)lane;
  if (!(T->met_lanes >> source & 1))
    fail(T, at, "lane %u reads from lane %d, which takes no part", lane, source);
  return (Shuffled){(u32)T->met_values[source], is_in_range};
}
#define SHUFFLE(way, value, b, clamp, mask) shuffle(T, way, value, b, clamp, mask, HERE)

// Lanes that took part, and those of them for which something holds.
typedef struct {
  u32 lanes, holding;
} Ballot;

// Lanes that brought this value.
static Ballot lanes_with(const Thread *T, u64 value) {
  Ballot ballot = {T->met_lanes, 0};
  for (u32 lane = 0; lane < WARP_SIZE; lane++)
    if (T->met_lanes >> lane & 1 && T->met_values[lane] == value) ballot.holding |= 1u << lane;
  return ballot;
}
static Ballot vote(Thread *T, bool holds, u32 mask, Place at) {
  meet(T, mask, holds, "a vote", at);
  return lanes_with(T, 1);
}
static Ballot match(Thread *T, u64 value, u32 mask, Place at) {
  meet(T, mask, value, "a match", at);
  return lanes_with(T, value);
}
#define VOTE(holds, mask) vote(T, holds, mask, HERE)
#define MATCH(value, mask) match(T, value, mask, HERE)

#define REDUCTIONS(T)                                              \
  static u64 add_##T(u64 a, u64 b) { return a + b; }               \
  static u64 min_##T(u64 a, u64 b) { return (T)a < (T)b ? a : b; } \
  static u64 max_##T(u64 a, u64 b) { return (T)a > (T)b ? a : b; } \
  static u64 and_##T(u64 a, u64 b) { return a & b; }               \
  static u64 or_##T(u64 a, u64 b) { return a | b; }                \
  static u64 xor_##T(u64 a, u64 b) { return a ^ b; }
REDUCTIONS(u64)
REDUCTIONS(s64)
static u64 reduce(Thread *T, u64 (*join)(u64, u64), u64 value, u32 mask, Place at) {
  meet(T, mask, value, "a reduction", at);
  u64 result = value;
  for (u32 lane = 0; lane < WARP_SIZE; lane++)
    if (T->met_lanes >> lane & 1 && lane != T->lane) result = join(result, T->met_values[lane]);
  return result;
}
#define REDUCE(join, value, mask) reduce(T, join, value, mask, HERE)
