// Four 32-bit words side by side: a vector of the host, four registers of a GPU's thread. Beside
// portability.cuh and simd.cuh the only header that knows the compiler.
#pragma once
#include "portability.cuh"

#if defined(__CUDACC__)

struct WordLanes {
  uint32_t v[4];
  DEVICE uint32_t operator[](int i) const { return v[i]; }
};

#define WORD_OPERATOR(op)                                      \
  DEVICE WordLanes operator op(WordLanes a, WordLanes b) {     \
    UNROLL for (int i = 0; i < 4; i++) a.v[i] = a.v[i] op b.v[i]; \
    return a;                                                  \
  }                                                            \
  DEVICE WordLanes operator op(WordLanes a, uint32_t b) {      \
    UNROLL for (int i = 0; i < 4; i++) a.v[i] = a.v[i] op b;   \
    return a;                                                  \
  }
WORD_OPERATOR(^)
WORD_OPERATOR(&)
WORD_OPERATOR(|)
WORD_OPERATOR(+)
WORD_OPERATOR(*)
WORD_OPERATOR(<<)
WORD_OPERATOR(>>)
#undef WORD_OPERATOR

DEVICE WordLanes reverse_bits(WordLanes x) {
  UNROLL for (int i = 0; i < 4; i++) x.v[i] = reverse_bits(x.v[i]);
  return x;
}

#else

typedef uint32_t WordLanes __attribute__((vector_size(16)));

DEVICE WordLanes reverse_bits(WordLanes x) {
  x = x >> 16 | x << 16;
  x = (x >> 8 & 0x00ff00ffu) | (x & 0x00ff00ffu) << 8;
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  return (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
}

#endif

// a, b, a, b
DEVICE WordLanes alternating(uint32_t a, uint32_t b) { return WordLanes{a, b, a, b}; }
