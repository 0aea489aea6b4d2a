// Integer operations that C lacks, or leaves undefined where PTX does not.
#pragma once
#include "ptx_types.h"

static inline s32 saturate_s32(s64 x) {
  return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (s32)x;
}
static inline s128 absolute_s128(s128 x) { return x < 0 ? -x : x; }
static inline s128 clamped(s128 x, s128 low, s128 high) {
  return x < low ? low : x > high ? high : x;
}

// By zero PTX promises nothing; here the quotient is all ones. The least number by -1 wraps around.
#define UNSIGNED_DIVISION(T)                                                     \
  static inline T divide_##T(T a, T b) { return b == 0 ? (T)-1 : (T)(a / b); } \
  static inline T remainder_##T(T a, T b) { return b == 0 ? a : (T)(a % b); }
#define SIGNED_DIVISION(T, U)                                       \
  static inline T divide_##T(T a, T b) {                            \
    return b == 0 ? (T)-1 : b == -1 ? (T)(0 - (U)a) : (T)(a / b); \
  }                                                                 \
  static inline T remainder_##T(T a, T b) { return b == 0 ? a : b == -1 ? 0 : (T)(a % b); }
UNSIGNED_DIVISION(u16)
UNSIGNED_DIVISION(u32)
UNSIGNED_DIVISION(u64)
SIGNED_DIVISION(s16, u16)
SIGNED_DIVISION(s32, u32)
SIGNED_DIVISION(s64, u64)

// Shifts by more than the width leave nothing, or the sign.
static inline u64 shift_left(u64 x, u32 count, u32 width) {
  return count >= width ? 0 : x << count;
}
static inline u64 shift_right_u64(u64 x, u32 count, u32 width) {
  return count >= width ? 0 : x >> count;
}
static inline s64 shift_right_s64(s64 x, u32 count, u32 width) {
  return x >> (count >= width ? width - 1 : count);
}

static inline u32 bounded_wrap(u32 count) { return count & 31; }
static inline u32 bounded_clamp(u32 count) { return count > 32 ? 32 : count; }
static inline u32 funnel_shift_l(u32 low, u32 high, u32 count) {
  return (u32)(((u64)high << 32 | low) << count >> 32);
}
static inline u32 funnel_shift_r(u32 low, u32 high, u32 count) {
  return (u32)(((u64)high << 32 | low) >> count);
}

// Bits first to first + count - 1 of a word of so many bits; both numbers count modulo 256.
static inline u64 extract_u64(u64 x, u32 first, u32 count, u32 width) {
  first &= 255, count &= 255;
  const u64 shifted = first < width ? x >> first : 0;
  return count >= 64 ? shifted : shifted & ((1ull << count) - 1);
}
static inline s64 extract_s64(s64 x, u32 first, u32 count, u32 width) {
  first &= 255, count &= 255;
  if (count == 0) return 0;
  if (first >= width) return x < 0 ? -1 : 0;
  const u32 last = first + count > width ? width - 1 : first + count - 1;
  return (s64)((u64)x << (63 - last)) >> (63 - last + first);
}
static inline u64 insert_field(u64 x, u64 into, u32 first, u32 count, u32 width) {
  first &= 255, count &= 255;
  if (first >= width) return into;
  const u64 ones = (count >= 64 ? ~0ull : (1ull << count) - 1) << first;
  return (into & ~ones) | (x << first & ones);
}

// The highest one's number, or (given the width) how far up it must be shifted to be the highest.
static inline u32 find_highest(u64 x, u32 width) {
  if (x == 0) return 0xffffffffu;
  const u32 number = 63u - (u32)__builtin_clzll(x);
  return width ? width - 1 - number : number;
}
static inline u32 clz_32(u32 x) { return x ? (u32)__builtin_clz(x) : 32; }
static inline u32 clz_64(u64 x) { return x ? (u32)__builtin_clzll(x) : 64; }
static inline u32 popc_32(u32 x) { return (u32)__builtin_popcount(x); }
static inline u32 popc_64(u64 x) { return (u32)__builtin_popcountll(x); }
static inline u32 brev_32(u32 x) {
  u32 reversed = 0;
  for (int i = 0; i < 32; i++) reversed |= (x >> i & 1) << (31 - i);
  return reversed;
}
static inline u64 brev_64(u64 x) { return (u64)brev_32((u32)x) << 32 | brev_32((u32)(x >> 32)); }

// Bit (4a + 2b + c) of the table is the result where the three bits are a, b and c.
static inline u32 logic_of_three(u32 a, u32 b, u32 c, u32 table) {
  u32 result = 0;
  for (u32 i = 0; i < 8; i++)
    if (table >> i & 1) result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return result;
}

// Each selector has four bits: which of the eight bytes, and whether only its sign is wanted.
static inline u32 permute_bytes(u32 a, u32 b, u32 selectors) {
  const u64 bytes = (u64)b << 32 | a;
  u32 result = 0;
  for (int i = 0; i < 4; i++) {
    const u32 selector = selectors >> 4 * i & 15;
    const u32 byte = (u32)(bytes >> 8 * (selector & 7)) & 255;
    result |= (selector & 8 ? (byte & 128 ? 255u : 0u) : byte) << 8 * i;
  }
  return result;
}
