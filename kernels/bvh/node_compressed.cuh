// The GPU's node: eight children in 80 bytes, five 128-bit loads. After Ylitie, Karras, Laine 2017,
// "Efficient Incoherent Ray Traversal on GPUs Through Compressed Wide BVHs".
//
// Boxes are bytes in a grid of the node's own, origin + q 2^(exponent - 127), rounded outwards by
// the builder with a margin of 1/64 quantum, which covers the roundings of the decoding below.
// Children lie one after another: inner child of slot s is node first_child + (inner slots below
// s); the leaf of slot s begins at first_entry + (leaf[s] >> 3) and holds (leaf[s] & 7) entries.
#pragma once
#include "../simd.cuh"
#include "child_word.cuh"
#include "ray_setup.cuh"

struct alignas(16) CompressedNode {
  float origin[3];
  uint8_t exponent[3];
  uint8_t inner;  // bit s: slot s is an inner child
  uint32_t first_child, first_entry;
  uint8_t leaf[8];       // offset << 3 | count
  uint8_t planes[6][8];  // low x, high x, low y, ...; an empty slot has low 255, high 0
};
static_assert(sizeof(CompressedNode) == 80);

// What one visit learns: which slots the ray enters before t_max, and where their children are.
struct CompressedHits {
  uint32_t slots, inner;
  uint32_t first_child, first_entry;
  uint32_t leaf[2];  // the eight leaf bytes
};

// One axis of a node seen along the ray: plane q is biased_byte(q) * scale + near (far) away.
struct GridAxis {
  float scale, near, far;
};

DEVICE GridAxis grid_axis(float origin, uint32_t exponent, float inverse, float near_offset,
                          float far_offset) {
  // Exponent + 15 and minus one scale: biased_byte gives 1 + q 2^-15. That subtraction rounds by at
  // most 2^-9 quantum.
  const float scale = product(float_of((exponent + 15u) << 23), inverse);
  return {scale, difference(fused(origin, inverse, near_offset), scale),
          difference(fused(origin, inverse, far_offset), scale)};
}

DEVICE float near_plane(uint32_t word, int k, const GridAxis& a) {
  return fused(biased_byte(word, k), a.scale, a.near);
}
DEVICE float far_plane(uint32_t word, int k, const GridAxis& a) {
  return fused(biased_byte(word, k), a.scale, a.far);
}

DEVICE CompressedHits hit_children(const CompressedNode& node, const BoxRay& ray, float t_max) {
  const Words4 head = load_words(&node), children = load_words(&node.first_child);
  const Words4 px = load_words(node.planes[0]), py = load_words(node.planes[2]),
               pz = load_words(node.planes[4]);
  const GridAxis x = grid_axis(float_of(head.x), head.w & 255u, ray.inverse[0], ray.near_offset[0],
                               ray.far_offset[0]);
  const GridAxis y = grid_axis(float_of(head.y), head.w >> 8 & 255u, ray.inverse[1],
                               ray.near_offset[1], ray.far_offset[1]);
  const GridAxis z = grid_axis(float_of(head.z), head.w >> 16 & 255u, ray.inverse[2],
                               ray.near_offset[2], ray.far_offset[2]);
  const bool flip_x = ray.octant & 1u, flip_y = ray.octant & 2u, flip_z = ray.octant & 4u;
  uint32_t slots = 0;
  UNROLL for (int half = 0; half < 2; half++) {
    const uint32_t low_x = half ? px.y : px.x, high_x = half ? px.w : px.z;
    const uint32_t low_y = half ? py.y : py.x, high_y = half ? py.w : py.z;
    const uint32_t low_z = half ? pz.y : pz.x, high_z = half ? pz.w : pz.z;
    const uint32_t near_x = flip_x ? high_x : low_x, far_x = flip_x ? low_x : high_x;
    const uint32_t near_y = flip_y ? high_y : low_y, far_y = flip_y ? low_y : high_y;
    const uint32_t near_z = flip_z ? high_z : low_z, far_z = flip_z ? low_z : high_z;
    UNROLL for (int k = 0; k < 4; k++) {
      const float entry = maximum(maximum(near_plane(near_x, k, x), near_plane(near_y, k, y)),
                                  maximum(near_plane(near_z, k, z), ray.t_min));
      const float exit = minimum(minimum(far_plane(far_x, k, x), far_plane(far_y, k, y)),
                                 minimum(far_plane(far_z, k, z), t_max));
      slots |= (entry <= product(exit, NODE_SLACK) ? 1u : 0u) << (4 * half + k);
    }
  }
  return {slots, head.w >> 24, children.x, children.y, {children.z, children.w}};
}

DEVICE uint32_t leaf_byte(const uint32_t leaf[2], uint32_t slot) {
  return (slot < 4 ? leaf[0] : leaf[1]) >> (8 * (slot & 3u)) & 255u;
}
