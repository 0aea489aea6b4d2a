// What the kernels use of CUDA, for a compiler that reads CUDA without NVIDIA's headers.
#pragma once
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))

typedef __SIZE_TYPE__ size_t;
struct uint3 {
  unsigned x, y, z;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
extern __device__ const uint3 threadIdx, blockIdx, blockDim, gridDim;

extern "C" {
__device__ unsigned __float_as_uint(float);
__device__ float __uint_as_float(unsigned);
__device__ int __ffs(int);
__device__ int __popc(unsigned);
__device__ unsigned __brev(unsigned);
__device__ int __any_sync(unsigned, int);
__device__ unsigned __ballot_sync(unsigned, int);
__device__ unsigned __shfl_sync(unsigned, unsigned, int);
__device__ void* memcpy(void*, const void*, size_t);
__device__ unsigned __byte_perm(unsigned, unsigned, unsigned);
__device__ float __fmaf_rn(float, float, float);
__device__ float __fmul_rn(float, float);
__device__ float __fadd_rn(float, float);
__device__ float __fsub_rn(float, float);
__device__ float sqrtf(float);
__device__ float floorf(float);
__device__ float copysignf(float, float);
__device__ float fabsf(float);
__device__ float fminf(float, float);
__device__ float fmaxf(float, float);
}
template <class T>
__device__ T __ldg(const T* address);
__device__ unsigned atomicAdd(unsigned* address, unsigned value);
__device__ unsigned atomicMin(unsigned* address, unsigned value);
