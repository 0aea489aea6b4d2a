// The CPU's node: eight children with full-precision boxes, 256 bytes.
#pragma once
#include "../simd.cuh"
#include "child_word.cuh"
#include "ray_setup.cuh"

struct alignas(16) FloatNode {
  float planes[6][8];  // low x, high x, low y, high y, low z, high z; an empty slot has low > high
  uint32_t child[8];   // child words
  uint32_t padding[8];
};
static_assert(sizeof(FloatNode) == 256);

// The children that the ray enters before t_max, one bit each, and the distances of entry.
DEVICE uint32_t hit_children(const FloatNode& node, const BoxRay& ray, float t_max,
                             Lanes<8>& entry) {
  const size_t x = ray.octant & 1u, y = ray.octant >> 1 & 1u, z = ray.octant >> 2;
  const auto near = [&](size_t plane, float inverse, float offset) {
    return fused(load_lanes<8>(node.planes[plane]), all_lanes<8>(inverse), all_lanes<8>(offset));
  };
  const Lanes<4> r = ray.inverse, n = ray.near_offset, f = ray.far_offset;
  entry = maximum(maximum(near(0 + x, r[0], n[0]), near(2 + y, r[1], n[1])),
                  maximum(near(4 + z, r[2], n[2]), all_lanes<8>(ray.t_min)));
  const Lanes<8> exit = minimum(minimum(near(1 - x, r[0], f[0]), near(3 - y, r[1], f[1])),
                                minimum(near(5 - z, r[2], f[2]), all_lanes<8>(t_max)));
  return less_or_equal(entry, exit * all_lanes<8>(NODE_SLACK));
}
