// N 32-bit words side by side: a vector of the host, N registers of a GPU's thread. Beside
// portability.cuh and simd.cuh the only header that knows the compiler.
#pragma once
#include "simd.cuh"

#if defined(__CUDACC__)

template <int N>
struct Words {
  uint32_t v[N];
  DEVICE uint32_t& operator[](int i) { return v[i]; }
  DEVICE uint32_t operator[](int i) const { return v[i]; }
};

#define WORD_OPERATOR(op)                                         \
  template <int N>                                                \
  DEVICE Words<N> operator op(Words<N> a, Words<N> b) {           \
    UNROLL for (int i = 0; i < N; i++) a.v[i] = a.v[i] op b.v[i]; \
    return a;                                                     \
  }                                                               \
  template <int N>                                                \
  DEVICE Words<N> operator op(Words<N> a, uint32_t b) {           \
    UNROLL for (int i = 0; i < N; i++) a.v[i] = a.v[i] op b;      \
    return a;                                                     \
  }
WORD_OPERATOR(^)
WORD_OPERATOR(&)
WORD_OPERATOR(|)
WORD_OPERATOR(+)
WORD_OPERATOR(*)
WORD_OPERATOR(<<)
WORD_OPERATOR(>>)
#undef WORD_OPERATOR

template <int N>
DEVICE Words<N> reverse_bits(Words<N> x) {
  UNROLL for (int i = 0; i < N; i++) x.v[i] = reverse_bits(x.v[i]);
  return x;
}

// Of words below 2^31.
template <int N>
DEVICE Lanes<N> floats_of(Words<N> x) {
  Lanes<N> result;
  UNROLL for (int i = 0; i < N; i++) result.v[i] = static_cast<float>(static_cast<int>(x.v[i]));
  return result;
}

#else

template <int N>
struct WordVector;
template <>
struct WordVector<4> {
  typedef uint32_t type __attribute__((vector_size(16)));
};
template <>
struct WordVector<8> {
  typedef uint32_t type __attribute__((vector_size(32)));
};
template <int N>
using Words = typename WordVector<N>::type;

template <class Vector>
DEVICE Vector reverse_bits(Vector x) {
  x = x >> 16 | x << 16;
  x = (x >> 8 & 0x00ff00ffu) | (x & 0x00ff00ffu) << 8;
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  return (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
}

// Of words below 2^31.
template <int N>
DEVICE Lanes<N> floats_of(Words<N> x) {
  typedef int Signed __attribute__((vector_size(4 * N)));
  return {__builtin_convertvector((Signed)x, typename Vector<N>::type)};
}

#endif

template <int N>
DEVICE Words<N> all_words(uint32_t word) {
  Words<N> result;
  UNROLL for (int i = 0; i < N; i++) result[i] = word;
  return result;
}

// first, first + 1, ...
template <int N>
DEVICE Words<N> counting_words(uint32_t first) {
  Words<N> result;
  UNROLL for (int i = 0; i < N; i++) result[i] = first + static_cast<uint32_t>(i);
  return result;
}
