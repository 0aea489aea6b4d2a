// Where a ray that leaves a surface begins.
#pragma once
#include "vec.cuh"

DEVICE float offset_component(float p, float n) {
  const int ulps = static_cast<int>(256.0f * n);
  const float moved = float_of(bits_of(p) + static_cast<uint32_t>(p < 0.0f ? -ulps : ulps));
  return fabsf(p) < 1.0f / 32.0f ? p + n * (1.0f / 65536.0f) : moved;
}

// The point a few roundings off, on the side that the unit normal points to. Wächter and Binder
// 2019, "A Fast and Robust Method for Avoiding Self-Intersection", Ray Tracing Gems 6.
DEVICE Float3 offset_origin(Float3 p, Float3 n) {
  return {offset_component(p.x, n.x), offset_component(p.y, n.y), offset_component(p.z, n.z)};
}
