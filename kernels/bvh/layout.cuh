// The two node layouts that traversal is built for. A layout names its node, the width of its
// triangle blocks, its walk, and what the builder reckons a visit to cost.
#pragma once
#include "nearest_first.cuh"
#include "octant_order.cuh"
#include "triangle_block.cuh"

struct FloatLayout {
  using Node = FloatNode;
  using Block = TriangleBlock<4>;
  static constexpr int block_width = 4;
  static constexpr float node_cost = 1.0f, block_cost = 0.9f;
  static constexpr bool has_octant_slots = false, joins_levels = false;

  template <class Visitor>
  static DEVICE bool walk(const void* nodes, uint32_t root, const BoxRay& ray, Visitor& visitor) {
    return walk_nearest_first(static_cast<const Node*>(nodes), root, ray, visitor);
  }
};

struct CompressedLayout {
  using Node = CompressedNode;
  using Block = TriangleBlock<1>;
  static constexpr int block_width = 1;
  static constexpr float node_cost = 1.2f, block_cost = 0.5f;
  static constexpr bool has_octant_slots = true, joins_levels = true;

  template <class Visitor>
  static DEVICE bool walk(const void* nodes, uint32_t root, Visitor& visitor) {
    return walk_octant_order(static_cast<const Node*>(nodes), root, visitor);
  }
};
