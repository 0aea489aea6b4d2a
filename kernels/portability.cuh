// The one place that knows which compiler reads the kernels: nvcc, NVRTC, g++ or clang.
//
// A kernel is a function of a job and of one work item's index. KERNEL makes of it a CUDA entry
// point, or a plain function that the host's thread pool calls. A WARP_KERNEL is also called for
// the items beyond item_count that fill the last block, since its warps act together.
#pragma once

#if defined(__CUDACC_RTC__)  // NVRTC has no host headers
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#else
#include <cmath>
#include <cstdint>
#include <cstring>
#endif

#if defined(__CUDACC__)

#define DEVICE __device__ __forceinline__
#define DEVICE_CALL __device__ __noinline__
#define UNROLL _Pragma("unroll")
#define KERNEL_IF(condition, name, Job, job, item)                            \
  __device__ __forceinline__ void name##_item(const Job& job, uint32_t item); \
  extern "C" __global__ void __launch_bounds__(128) name(const Job job) {     \
    const uint32_t item = blockIdx.x * blockDim.x + threadIdx.x;              \
    if (condition) name##_item(job, item);                                    \
  }                                                                           \
  __device__ __forceinline__ void name##_item(const Job& job, [[maybe_unused]] uint32_t item)
#define KERNEL(name, Job, job, item) KERNEL_IF(item < job.item_count, name, Job, job, item)
#define WARP_KERNEL(name, Job, job, item) KERNEL_IF(true, name, Job, job, item)

DEVICE uint32_t bits_of(float f) { return __float_as_uint(f); }
DEVICE float float_of(uint32_t u) { return __uint_as_float(u); }
DEVICE int lowest_bit(uint32_t mask) { return __ffs(static_cast<int>(mask)) - 1; }
DEVICE int count_bits(uint32_t mask) { return __popc(mask); }
DEVICE uint32_t reverse_bits(uint32_t x) { return __brev(x); }
DEVICE float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
// Never contracted into a fused multiply-add, whatever the compiler's flags.
DEVICE float product(float a, float b) { return __fmul_rn(a, b); }
DEVICE float sum(float a, float b) { return __fadd_rn(a, b); }
DEVICE float difference(float a, float b) { return __fsub_rn(a, b); }

// No more than limit from now on, where whoever raised the counter calls this afterwards.
DEVICE void lower_to(uint32_t& counter, uint32_t limit) { atomicMin(&counter, limit); }

// All lanes of a warp call these together.
DEVICE bool any_in_warp(bool holds) { return __any_sync(0xffffffffu, holds); }
// A number of its own for each lane that takes one, counting on from `next`: one atomic addition
// for the whole warp.
DEVICE uint32_t take_number(uint32_t& next, bool takes) {
  const uint32_t takers = __ballot_sync(0xffffffffu, takes), lane = threadIdx.x % 32u;
  if (takers == 0u) return 0u;
  const int leader = lowest_bit(takers);
  uint32_t first = 0u;
  if (static_cast<int>(lane) == leader) first = atomicAdd(&next, __popc(takers));
  first = __shfl_sync(0xffffffffu, first, leader);
  return first + __popc(takers & ((1u << lane) - 1u));
}

#else

#define DEVICE inline __attribute__((always_inline))
#define DEVICE_CALL __attribute__((noinline)) inline
#define UNROLL _Pragma("GCC unroll 8")
#define KERNEL(name, Job, job, item) \
  inline void name##_item(const Job& job, [[maybe_unused]] uint32_t item)
#define WARP_KERNEL(name, Job, job, item) KERNEL(name, Job, job, item)

DEVICE uint32_t bits_of(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}
DEVICE float float_of(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
DEVICE int lowest_bit(uint32_t mask) { return __builtin_ctz(mask); }
DEVICE int count_bits(uint32_t mask) { return __builtin_popcount(mask); }
DEVICE uint32_t reverse_bits(uint32_t x) {
  x = __builtin_bswap32(x);
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  return (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
}
// Only where a rounding error cannot change a result (box tests): the baseline build has no FMA,
// and both builds must give the same bits.
DEVICE float fused(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
// The CPU build is compiled with -ffp-contract=off.
DEVICE float product(float a, float b) { return a * b; }
DEVICE float sum(float a, float b) { return a + b; }
DEVICE float difference(float a, float b) { return a - b; }
DEVICE void lower_to(uint32_t& counter, uint32_t limit) {
  uint32_t found = __atomic_load_n(&counter, __ATOMIC_RELAXED);
  while (found > limit && !__atomic_compare_exchange_n(&counter, &found, limit, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}
// A warp of the host has one lane.
DEVICE bool any_in_warp(bool holds) { return holds; }
DEVICE uint32_t take_number(uint32_t& next, bool takes) {
  return takes ? __atomic_fetch_add(&next, 1u, __ATOMIC_RELAXED) : 0u;
}

#endif

DEVICE float minimum(float a, float b) { return a < b ? a : b; }
DEVICE float maximum(float a, float b) { return a > b ? a : b; }
DEVICE float with_sign_of(float magnitude, float sign) {
  return float_of(bits_of(magnitude) | (bits_of(sign) & 0x80000000u));
}
DEVICE float clamp(float x, float low, float high) { return minimum(maximum(x, low), high); }
