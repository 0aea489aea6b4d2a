// PTX's scalar types under their own names, and registers: unions of the types of one width.
#pragma once
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef unsigned __int128 u128;
typedef __int128 s128;
typedef _Float16 f16;
typedef float f32;
typedef double f64;

typedef union {
  u16 u;
  s16 s;
  f16 f;
} R16;
typedef union {
  u32 u;
  s32 s;
  f32 f;
} R32;
typedef union {
  u64 u;
  s64 s;
  f64 f;
} R64;

#define f32_of_bits(bits) (((R32){.u = (bits)}).f)
#define f64_of_bits(bits) (((R64){.u = (bits)}).f)
