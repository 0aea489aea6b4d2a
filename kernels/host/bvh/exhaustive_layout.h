// Traversal without boxes, over what was built for FloatLayout: every leaf is visited. What the
// tests hold the layouts against, bit for bit.
#pragma once
#include <vector>

#include "../../bvh/layout.cuh"

struct ExhaustiveLayout : FloatLayout {
  template <class Visitor>
  static bool walk(const void* nodes, uint32_t root, const BoxRay&, Visitor& visitor) {
    std::vector<uint32_t> pending = {root};
    while (!pending.empty()) {
      const uint32_t child = pending.back();
      pending.pop_back();
      if (!is_leaf(child)) {
        const FloatNode& node = static_cast<const FloatNode*>(nodes)[child];
        pending.insert(pending.end(), node.child, node.child + 8);
      } else if (visitor.visit_leaf(leaf_first(child), leaf_count(child))) {
        return true;
      }
    }
    return false;
  }
};
