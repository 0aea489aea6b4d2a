// N floats side by side, and the few loads that a GPU does in one instruction.
//
// With portability.cuh the only header that knows the compiler. The host uses GNU vectors, which
// g++ and clang turn into SSE, AVX or NEON; a GPU thread uses registers, one float after another.
// Arithmetic is never contracted: both give the same bits.
#pragma once
#include "vec.cuh"

struct alignas(16) Words4 {
  uint32_t x, y, z, w;
};

#if defined(__CUDACC__)

constexpr bool ON_GPU = true;

template <int N>
struct Lanes {
  float v[N];
  DEVICE float operator[](int i) const { return v[i]; }
};

#define LANES_FUNCTION(name, expression)                  \
  template <int N>                                        \
  DEVICE Lanes<N> name(Lanes<N> a, Lanes<N> b) {          \
    Lanes<N> result;                                      \
    UNROLL for (int i = 0; i < N; i++) {                  \
      const float x = a.v[i], y = b.v[i];                 \
      result.v[i] = expression;                           \
    }                                                     \
    return result;                                        \
  }
LANES_FUNCTION(operator+, sum(x, y))
LANES_FUNCTION(operator-, difference(x, y))
LANES_FUNCTION(operator*, product(x, y))
LANES_FUNCTION(operator/, x / y)
LANES_FUNCTION(minimum, fminf(x, y))
LANES_FUNCTION(maximum, fmaxf(x, y))
#undef LANES_FUNCTION

template <int N>
DEVICE Lanes<N> all_lanes(float s) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = s;
  return result;
}
template <int N>
DEVICE Lanes<N> load_lanes(const float* p) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = __ldg(p + i);
  return result;
}
template <int N>
DEVICE Lanes<N> fused(Lanes<N> a, Lanes<N> b, Lanes<N> c) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = fused(a.v[i], b.v[i], c.v[i]);
  return result;
}
template <int N>
DEVICE Lanes<N> absolute(Lanes<N> a) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = fabsf(a.v[i]);
  return result;
}
template <int N>
DEVICE Lanes<N> copy_sign(Lanes<N> size, Lanes<N> sign) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = copysignf(size.v[i], sign.v[i]);
  return result;
}
template <int N>
DEVICE Lanes<N> square_root(Lanes<N> a) {
  UNROLL for (int i = 0; i < N; i++) a.v[i] = sqrtf(a.v[i]);
  return a;
}
DEVICE Lanes<4> lanes_of(Float3 v) { return {{v.x, v.y, v.z, 0.0f}}; }
// Bit i is set where a[i] <= b[i]; never where one of them is not a number.
template <int N>
DEVICE uint32_t less_or_equal(Lanes<N> a, Lanes<N> b) {
  uint32_t mask = 0;
  UNROLL for (int i = 0; i < N; i++) mask |= (a.v[i] <= b.v[i] ? 1u : 0u) << i;
  return mask;
}

// Three floats to be read by an index: selects, for registers have no index.
struct Indexed3 {
  float v[3];
  DEVICE float operator[](int i) const { return i == 0 ? v[0] : i == 1 ? v[1] : v[2]; }
};
DEVICE Indexed3 indexed(Lanes<4> a) { return {{a.v[0], a.v[1], a.v[2]}}; }

// A thread that waits for memory leaves the processor to others.
template <class T>
DEVICE void prefetch(const T&) {}

DEVICE Words4 load_words(const void* p) {
  const uint4 q = __ldg(static_cast<const uint4*>(p));
  return {q.x, q.y, q.z, q.w};
}
// Byte k of a word, q, as the float 1 + q 2^-15: one byte permutation in place of a conversion,
// which runs at a quarter of the rate or less.
DEVICE float biased_byte(uint32_t word, int k) {
  return __uint_as_float(__byte_perm(word, 0x3f800000u, 0x7604 | k << 4));
}

#else

#if defined(__SSE2__)
#include <immintrin.h>
#endif

constexpr bool ON_GPU = false;

template <int N>
struct Vector;
template <>
struct Vector<1> {
  typedef float type __attribute__((vector_size(4)));
};
template <>
struct Vector<4> {
  typedef float type __attribute__((vector_size(16)));
};
template <>
struct Vector<8> {
  typedef float type __attribute__((vector_size(32)));
};

template <int N>
struct Lanes {
  typename Vector<N>::type v;
  DEVICE float operator[](int i) const { return v[i]; }
};

template <int N>
DEVICE Lanes<N> operator+(Lanes<N> a, Lanes<N> b) { return {a.v + b.v}; }
template <int N>
DEVICE Lanes<N> operator-(Lanes<N> a, Lanes<N> b) { return {a.v - b.v}; }
template <int N>
DEVICE Lanes<N> operator*(Lanes<N> a, Lanes<N> b) { return {a.v * b.v}; }
template <int N>
DEVICE Lanes<N> operator/(Lanes<N> a, Lanes<N> b) { return {a.v / b.v}; }
template <int N>
DEVICE Lanes<N> minimum(Lanes<N> a, Lanes<N> b) { return {a.v < b.v ? a.v : b.v}; }
template <int N>
DEVICE Lanes<N> maximum(Lanes<N> a, Lanes<N> b) { return {a.v > b.v ? a.v : b.v}; }
template <int N>
DEVICE Lanes<N> all_lanes(float s) { return {s - typename Vector<N>::type{}}; }
template <int N>
DEVICE Lanes<N> load_lanes(const float* p) {
  Lanes<N> result;
  memcpy(&result.v, p, sizeof(result.v));
  return result;
}
template <int N>
DEVICE Lanes<N> fused(Lanes<N> a, Lanes<N> b, Lanes<N> c) {
#if defined(__FMA__)
  if constexpr (N == 8) return {(typename Vector<N>::type)_mm256_fmadd_ps(a.v, b.v, c.v)};
  else if constexpr (N == 4) return {(typename Vector<N>::type)_mm_fmadd_ps(a.v, b.v, c.v)};
#endif
  return {a.v * b.v + c.v};
}
template <int N>
DEVICE Lanes<N> copy_sign(Lanes<N> size, Lanes<N> sign) {
  using Bits = decltype(size.v < sign.v);
  const Bits top = Bits{} + INT32_MIN;
  return {(decltype(size.v))((~top & (Bits)size.v) | (top & (Bits)sign.v))};
}
template <int N>
DEVICE Lanes<N> absolute(Lanes<N> a) {
  return copy_sign(a, Lanes<N>{});
}
template <int N>
DEVICE Lanes<N> square_root(Lanes<N> a) {
#if defined(__AVX__)
  if constexpr (N == 8) return {(typename Vector<N>::type)_mm256_sqrt_ps((__m256)a.v)};
#endif
  for (int i = 0; i < N; i++) a.v[i] = sqrtf(a.v[i]);
  return a;
}
DEVICE Lanes<4> lanes_of(Float3 v) { return {Vector<4>::type{v.x, v.y, v.z, 0.0f}}; }
// Bit i is set where a[i] <= b[i]; never where one of them is not a number.
template <int N>
DEVICE uint32_t less_or_equal(Lanes<N> a, Lanes<N> b) {
  const auto lanes = a.v <= b.v;
#if defined(__AVX__)
  if constexpr (N == 8) return static_cast<uint32_t>(_mm256_movemask_ps((__m256)lanes));
#endif
#if defined(__SSE2__)
  if constexpr (N == 4) return static_cast<uint32_t>(_mm_movemask_ps((__m128)lanes));
#if !defined(__AVX__)
  if constexpr (N == 8) {
    __m128 half[2];
    memcpy(half, &lanes, sizeof(half));
    return static_cast<uint32_t>(_mm_movemask_ps(half[0]) | _mm_movemask_ps(half[1]) << 4);
  }
#endif
#endif
  uint32_t mask = 0;
  for (int i = 0; i < N; i++) mask |= (lanes[i] ? 1u : 0u) << i;
  return mask;
}

// Three floats to be read by an index: a load, where a choice would be a mispredicted branch.
struct Indexed3 {
  float v[4];
  DEVICE float operator[](int i) const { return v[i]; }
};
DEVICE Indexed3 indexed(Lanes<4> a) {
  Indexed3 result;
  memcpy(result.v, &a.v, sizeof(result.v));
  return result;
}

template <class T>
DEVICE void prefetch(const T& object) {
  constexpr size_t CACHE_LINE = 64;
  for (size_t line = 0; line < sizeof(T); line += CACHE_LINE)
    __builtin_prefetch(reinterpret_cast<const char*>(&object) + line);
}

DEVICE Words4 load_words(const void* p) {
  Words4 words;
  memcpy(&words, p, sizeof(words));
  return words;
}
// Byte k of a word, q, as the float 1 + q 2^-15, exactly as the GPU's byte permutation gives it.
DEVICE float biased_byte(uint32_t word, int k) {
  return float_of(0x3f800000u | (word >> (8 * k) & 255u) << 8);
}

#endif

template <int N>
struct Lanes3 {
  Lanes<N> x, y, z;
};
