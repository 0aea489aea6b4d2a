// Evaluates the expressions of expressions.cuh for each pair of inputs, results[row][item]. Read by
// nvcc, and by g++ with the intrinsics below.
#if defined(__CUDACC__)
#define FUNCTION(name) extern "C" __global__ void name
#define ITEMS(count) for (unsigned t = blockIdx.x * blockDim.x + threadIdx.x; t < (count); t = (count))
#else
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <algorithm>
#define FUNCTION(name) extern "C" void name
#define ITEMS(count) for (unsigned t = 0; t < (count); t++)
using std::max;
using std::min;
static int __popc(unsigned x) { return __builtin_popcount(x); }
static int __clz(unsigned x) { return x ? __builtin_clz(x) : 32; }
static int __ffs(unsigned x) { return __builtin_ffs((int)x); }
static int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static int __clzll(unsigned long long x) { return x ? __builtin_clzll(x) : 64; }
static unsigned __brev(unsigned x) {
  unsigned r = 0;
  for (int k = 0; k < 32; k++, x >>= 1) r = r << 1 | (x & 1);
  return r;
}
static unsigned __byte_perm(unsigned a, unsigned b, unsigned s) {
  unsigned r = 0;
  for (int k = 0; k < 4; k++, s >>= 4) r |= (((s & 4 ? b : a) >> 8 * (s & 3)) & 255) << 8 * k;
  return r;
}
static unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
static int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
static unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static unsigned __funnelshift_l(unsigned low, unsigned high, unsigned n) {
  return n & 31 ? high << (n & 31) | low >> (32 - (n & 31)) : high;
}
static unsigned __funnelshift_r(unsigned low, unsigned high, unsigned n) {
  return n & 31 ? low >> (n & 31) | high << (32 - (n & 31)) : low;
}
static unsigned __sad(int a, int b, unsigned c) { return (unsigned)std::llabs((long long)a - b) + c; }
static unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int k = 0; k < 32; k += 8) c += (a >> k & 255) * (b >> k & 255);
  return c;
}
template <class Operation>
static float in_mode(int mode, Operation operation) {
  std::fesetround(mode);
  volatile float result = operation();
  std::fesetround(FE_TONEAREST);
  return result;
}
static float __fadd_rz(volatile float a, volatile float b) { return in_mode(FE_TOWARDZERO, [&] { return a + b; }); }
static float __fmul_rd(volatile float a, volatile float b) { return in_mode(FE_DOWNWARD, [&] { return a * b; }); }
static float __fdiv_ru(volatile float a, volatile float b) { return in_mode(FE_UPWARD, [&] { return a / b; }); }
static float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
#endif

#define INPUTS                                            \
  const unsigned i = words[t], j = words[count - 1 - t];  \
  const unsigned long long q = (unsigned long long)i << 32 | j; \
  const float x = floats[t], y = floats[count - 1 - t];   \
  unsigned row = 0;
#define RESULT(expression, error) results[row++ * count + t] = expression;

FUNCTION(of_words)(const unsigned* words, const float* floats, unsigned* results, unsigned count) {
  ITEMS(count) {
    INPUTS
#define WORDS
#include "expressions.cuh"
#undef WORDS
  }
}

FUNCTION(of_floats)(const unsigned* words, const float* floats, float* results, unsigned count) {
  ITEMS(count) {
    INPUTS
#define FLOATS
#include "expressions.cuh"
#undef FLOATS
  }
}
