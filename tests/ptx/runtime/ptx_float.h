// Floating point as PTX has it: rounding modes of one operation, flushing, saturation, NaN.
#pragma once
#include "ptx_types.h"

// A function that does one operation in a rounding mode. Everything is volatile, so that nothing is
// moved out of the mode's reach.
#define ROUNDED(T, name, expression, ...) \
  static T name(__VA_ARGS__, int mode) {  \
    fesetround(mode);                     \
    volatile T result = (expression);     \
    fesetround(FE_TONEAREST);             \
    return result;                        \
  }
#define ROUNDED_OPERATIONS(T, fma_function, sqrt_function)                \
  ROUNDED(T, rounded_add_##T, a + b, volatile T a, volatile T b)          \
  ROUNDED(T, rounded_sub_##T, a - b, volatile T a, volatile T b)          \
  ROUNDED(T, rounded_mul_##T, (a) * (b), volatile T a, volatile T b)      \
  ROUNDED(T, rounded_div_##T, a / b, volatile T a, volatile T b)          \
  ROUNDED(T, rounded_sqrt_##T, sqrt_function(a), volatile T a)            \
  ROUNDED(T, rounded_fma_##T, fma_function(a, b, c), volatile T a, volatile T b, volatile T c)
ROUNDED_OPERATIONS(f32, fmaf, sqrtf)
ROUNDED_OPERATIONS(f64, fma, sqrt)
ROUNDED(f32, rounded_f32, (f32)x, volatile f64 x)
ROUNDED(f32, rounded_s64_to_f32, (f32)x, volatile s64 x)
ROUNDED(f32, rounded_u64_to_f32, (f32)x, volatile u64 x)
ROUNDED(f64, rounded_s64_to_f64, (f64)x, volatile s64 x)
ROUNDED(f64, rounded_u64_to_f64, (f64)x, volatile u64 x)
#define rounded_f32_of_integer(x, mode) \
  _Generic((x), u64: rounded_u64_to_f32, default: rounded_s64_to_f32)(x, mode)
#define rounded_f64_of_integer(x, mode) \
  _Generic((x), u64: rounded_u64_to_f64, default: rounded_s64_to_f64)(x, mode)

static inline f32 flushed(f32 x) { return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x; }
// NaN becomes 0.
#define SATURATED(T) \
  static inline T saturated_##T(T x) { return x > (T)0 ? (x < (T)1 ? x : (T)1) : (T)0; }
SATURATED(f16)
SATURATED(f32)
SATURATED(f64)

static inline f32 fused_f32(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
static inline f64 fused_f64(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
// The product of halves is exact in f64; so is the sum, unless one term is too small to matter.
static inline f16 fused_f16(f16 a, f16 b, f16 c) { return (f16)((f64)a * (f64)b + (f64)c); }

static inline f16 absolute_f16(f16 x) { return (f16)fabsf((f32)x); }
static inline f32 absolute_f32(f32 x) { return fabsf(x); }
static inline f64 absolute_f64(f64 x) { return fabs(x); }
static inline f32 copysign_f32(f32 x, f32 sign) { return copysignf(x, sign); }
static inline f64 copysign_f64(f64 x, f64 sign) { return copysign(x, sign); }
static inline f32 square_root_f32(f32 x) { return sqrtf(x); }
static inline f64 square_root_f64(f64 x) { return sqrt(x); }
static inline f32 rsqrt_f32(f32 x) { return (f32)(1.0 / sqrt((f64)x)); }
static inline f64 rsqrt_f64(f64 x) { return 1.0 / sqrt(x); }
static inline f32 sin_f32(f32 x) { return sinf(x); }
static inline f32 cos_f32(f32 x) { return cosf(x); }
static inline f32 lg2_f32(f32 x) { return log2f(x); }
static inline f32 ex2_f32(f32 x) { return exp2f(x); }
static inline f32 tanh_f32(f32 x) { return tanhf(x); }

// -0 is less than +0, and a number wins over NaN, but for the functions that let NaN win.
#define EXTREMA(T)                                                                             \
  static inline T min_##T(T a, T b) {                                                          \
    return isnan(a) ? b : isnan(b) ? a : a < b ? a : b < a ? b : signbit(a) ? a : b;           \
  }                                                                                            \
  static inline T max_##T(T a, T b) {                                                          \
    return isnan(a) ? b : isnan(b) ? a : a > b ? a : b > a ? b : signbit(a) ? b : a;           \
  }                                                                                            \
  static inline T min_nan_##T(T a, T b) { return isunordered(a, b) ? (T)NAN : min_##T(a, b); } \
  static inline T max_nan_##T(T a, T b) { return isunordered(a, b) ? (T)NAN : max_##T(a, b); }
EXTREMA(f16)
EXTREMA(f32)
EXTREMA(f64)

// To integers: clamped to the range. The end is a power of two, hence exact.
#define TO_INTEGER(T, lowest, highest, end)             \
  static inline T T##_of_float(f64 x, T not_a_number) { \
    if (isnan(x)) return not_a_number;                  \
    if (x < (f64)(lowest)) return lowest;               \
    return x >= end ? highest : (T)x;                   \
  }
TO_INTEGER(s8, INT8_MIN, INT8_MAX, 0x1p7)
TO_INTEGER(u8, 0, UINT8_MAX, 0x1p8)
TO_INTEGER(s16, INT16_MIN, INT16_MAX, 0x1p15)
TO_INTEGER(u16, 0, UINT16_MAX, 0x1p16)
TO_INTEGER(s32, INT32_MIN, INT32_MAX, 0x1p31)
TO_INTEGER(u32, 0, UINT32_MAX, 0x1p32)
TO_INTEGER(s64, INT64_MIN, INT64_MAX, 0x1p63)
TO_INTEGER(u64, 0, UINT64_MAX, 0x1p64)
