// What the host can do at best: move memory, and multiply and add.
#include "simd.cuh"

extern "C" {

// STREAM's triad (McCalpin 1995): 24 bytes an element.
void triad(double* a, const double* b, const double* c, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) a[i] = b[i] + 3.0 * c[i];
}

// Chains that do not wait for each other: steps * 12 * 8 fused multiply-adds, two operations each.
float multiply_add(uint64_t steps) {
  constexpr int CHAINS = 12;
  Lanes<8> chains[CHAINS];
  const Lanes<8> factor = all_lanes<8>(0.999f), term = all_lanes<8>(0.001f);
  for (int i = 0; i < CHAINS; i++) chains[i] = all_lanes<8>(0.1f * static_cast<float>(i));
  for (uint64_t step = 0; step < steps; step++)
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) chains[i] = fused(chains[i], factor, term);
  Lanes<8> total = chains[0];
  for (int i = 1; i < CHAINS; i++) total = total + chains[i];
  return total[0] + total[7];
}
}
