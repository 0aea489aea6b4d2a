// What the tests of the driver launch.
typedef unsigned int u32;
__constant__ u32 step;
__device__ u32 launches;

extern "C" __global__ void add(u32* words, u32 count, u32 value) {
  const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) words[i] += value;
}
extern "C" __global__ void add_step(u32* words) {
  words[threadIdx.x] += step;
  if (threadIdx.x == 0) launches++;
}
extern "C" __global__ void __launch_bounds__(64) at_most_64(u32* words) { words[threadIdx.x] = 1; }
extern "C" __global__ void misaligned(unsigned char* bytes) { *(u32*)(bytes + 1) = 1; }
extern "C" __global__ void endless(u32* words) {
  if (threadIdx.x == 0) asm volatile("bar.sync 1, 64;");
}
