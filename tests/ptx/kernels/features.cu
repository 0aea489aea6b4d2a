// What the kernels of the project do not do yet: threads that work together, calls, half precision.
#include <cuda_fp16.h>

typedef unsigned int u32;
typedef unsigned long long u64;

__constant__ float weights[4] = {1.5f, 2.5f, 3.5f, 4.5f};
__device__ u32 launched = 100;
__device__ u32* pointer_to_launched = &launched;

// A sum over the block: shuffles in each warp, shared memory between warps, one atomic a block.
extern "C" __global__ void block_sums(const u32* input, u32* sums, u32* total) {
  __shared__ u32 of_warps[32];
  const u32 thread = threadIdx.y * blockDim.x + threadIdx.x, threads = blockDim.x * blockDim.y;
  u32 sum = input[blockIdx.x * threads + thread];
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_down_sync(~0u, sum, distance);
  if (thread % 32 == 0) of_warps[thread / 32] = sum;
  __syncthreads();
  if (thread != 0) return;
  for (u32 warp = 1; warp < threads / 32; warp++) sum += of_warps[warp];
  sums[blockIdx.x] = sum;
  atomicAdd(total, sum);
  atomicInc(pointer_to_launched, 0xffffffffu);
}

// A row for each way that lanes tell each other something.
extern "C" __global__ void lanes(const u32* input, u32* out) {
  const u32 i = threadIdx.x, n = blockDim.x, x = input[i];
  out[0 * n + i] = __shfl_sync(~0u, x, x);
  out[1 * n + i] = __shfl_up_sync(~0u, x, 3);
  out[2 * n + i] = __shfl_down_sync(~0u, x, 5, 8);
  out[3 * n + i] = __shfl_xor_sync(~0u, x, 9);
  out[4 * n + i] = __ballot_sync(~0u, x & 1);
  out[5 * n + i] = __any_sync(~0u, x > 100) + 2 * __all_sync(~0u, x < 256);
  out[6 * n + i] = __match_any_sync(~0u, x % 5);
  u32 half = 0;
  if (i % 2) half = __ballot_sync(0xaaaaaaaau, x & 2);
  out[7 * n + i] = half;
  out[8 * n + i] = __syncthreads_count(x & 4);
  out[9 * n + i] = __popc(__activemask()) > 0;
}

extern "C" __global__ void dynamic_shared(const float* input, float* reversed) {
  extern __shared__ float copy[];
  copy[threadIdx.x] = input[threadIdx.x];
  __syncthreads();
  reversed[threadIdx.x] = copy[blockDim.x - 1 - threadIdx.x];
}

// Every update, on one word each; what the last one saw is not told, for order is not promised.
extern "C" __global__ void atomics(u32* words, float* sum, u64* wide) {
  const u32 i = threadIdx.x;
  atomicAdd(words + 0, i);
  atomicMax(words + 1, i * 7 % 64);
  atomicMin(words + 2, 1000 - i);
  atomicOr(words + 3, 1u << i % 32);
  atomicXor(words + 4, i);
  atomicAnd(words + 5, ~(1u << i % 32));
  for (u32 old = words[6], seen; (seen = atomicCAS(words + 6, old, old + 2)) != old;) old = seen;
  atomicAdd(sum, 0.5f);
  atomicAdd(wide, 1ull << 33);
}

static __device__ __noinline__ float polynomial(const float* coefficients, int count, float x) {
  float result = 0;
  for (int i = count - 1; i >= 0; i--) result = result * x + coefficients[i];
  return result;
}
static __device__ __noinline__ int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
struct Pair {
  double first;
  short second[3];
};
static __device__ __noinline__ Pair swap_signs(Pair pair) {
  pair.first = -pair.first;
  for (short& x : pair.second) x = -x;
  return pair;
}

// Calls with arrays and structs, recursion, a local array with a computed index, a dense switch.
extern "C" __global__ void calls(const float* input, float* out, Pair pair) {
  const u32 i = threadIdx.x, n = blockDim.x;
  float local[8];
  for (int k = 0; k < 8; k++) local[k] = weights[k & 3] + k;
  local[i & 7] += input[i];
  out[0 * n + i] = polynomial(local, 8, 0.5f);
  out[1 * n + i] = fibonacci(i % 10);
  const Pair swapped = swap_signs(pair);
  out[2 * n + i] = swapped.first + swapped.second[i % 3];
  float chosen = 0;
  switch (i % 9) {
    case 0: chosen = sinf(input[i]); break;
    case 1: chosen = 17; break;
    case 2: chosen = input[i] * 2; break;
    case 3: chosen = expf(input[i]); break;
    case 4: chosen = -4; break;
    case 5: chosen = input[i] - 1; break;
    case 6: chosen = 6; break;
    case 7: chosen = rsqrtf(1 + input[i] * input[i]); break;
  }
  out[3 * n + i] = chosen;
  const __half half = __float2half(input[i]);
  out[4 * n + i] = __half2float(__hfma(half, half, __float2half(0.25f)));
  out[5 * n + i] = (float)(sin((double)input[i]) * 1e3);
}

struct alignas(16) Wide {
  u32 words[4];
};
// Loads and stores of 16 bytes at once.
extern "C" __global__ void vectors(const Wide* input, Wide* out) {
  Wide wide = input[threadIdx.x];
  const u32 first = wide.words[0];
  for (int k = 0; k < 3; k++) wide.words[k] = wide.words[k + 1];
  wide.words[3] = first;
  out[threadIdx.x] = wide;
}
