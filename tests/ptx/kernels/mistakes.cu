// Kernels that do wrong, each on the line that its name stands on.
typedef unsigned int u32;
typedef unsigned long long u64;
__constant__ u32 table[4] = {1, 2, 3, 4};

extern "C" __global__ void write_beyond(u32* out, u32 count) {
  const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= count) out[i] = i;  // mistake
}
extern "C" __global__ void read_before(const u32* in, u32* out) {
  out[threadIdx.x] = in[(int)threadIdx.x - 1];  // mistake
}
extern "C" __global__ void misaligned(unsigned char* out) {
  *(u32*)(out + threadIdx.x) = 1;  // mistake
}
extern "C" __global__ void beyond_end(uint4* out, u32 index) {
  out[index].w = out[index].x;
  out[index + 1] = uint4{1, 2, 3, 4};  // mistake
}
extern "C" __global__ void beyond_shared(u32* out, u32 index) {
  __shared__ u32 words[64];
  words[threadIdx.x] = 0;
  __syncthreads();
  out[threadIdx.x] = words[index + threadIdx.x];  // mistake
}
extern "C" __global__ void beyond_local(u32* out, u32 index) {
  u32 local[16];
  for (u32 i = 0; i < 16; i++) local[i] = out[i];
  for (u32 i = 0; i < 16; i++) local[(i * 7 + out[0]) & 15] ^= i;
  out[0] = local[index];  // mistake
}
extern "C" __global__ void write_constant() {
  u32* words = const_cast<u32*>(table);
  asm volatile("" : "+l"(words));  // or the compiler sees the mistake
  words[threadIdx.x] = 1;  // mistake
}
extern "C" __global__ void too_few_at_barrier(u32* out) {
  asm volatile("bar.sync 1, 64;");  // mistake
  out[threadIdx.x] = 1;
}
extern "C" __global__ void foreign_mask(u32* out) {
  out[threadIdx.x] = __ballot_sync(1u, true);  // mistake
}
extern "C" __global__ void different_masks(u32* out) {
  if (threadIdx.x == 0) __syncwarp(1u | 2u);
  else __syncwarp(~0u);  // mistake
}
extern "C" __global__ void different_meetings(u32* out) {
  u32 found;
  if (threadIdx.x % 2 == 0) found = __ballot_sync(~0u, true);
  else found = __shfl_sync(~0u, threadIdx.x, 0);  // mistake
  out[threadIdx.x] = found;
}
extern "C" __global__ void from_absent_lane(u32* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0xffffu, threadIdx.x, 20);  // mistake
}
extern "C" __global__ void stops_itself(u32* out) {
  if (out[0] == 0) __trap();  // mistake
}
static __device__ __noinline__ u32 without_end(u32* out, u32 n) {
  volatile u32 local[64];
  local[n & 63] = n;
  return without_end(out, n + local[n & 63]) + local[(n + 1) & 63] + out[0];
}
extern "C" __global__ void recursion(u32* out) { out[0] = without_end(out, 1); }
