// Traversal with one small stack entry per level, for GPU threads: the hit children of a node form
// a group, visited in an order that the ray's octant gives; leaves are tested at once. After Ylitie
// et al. 2017. The builder puts children into slots so that slot ^ octant is roughly front to back.
#pragma once
#include "node_compressed.cuh"
#include "tree_depth.cuh"

// Inner children yet to visit: bits 0 to 7 say which, in visiting order; bits 8 to 15 are the
// inner slots of their node, from which the place after first_child follows.
struct NodeGroup {
  uint32_t first_child, bits;
};

// Leaves of one node yet to visit, in visiting order.
struct LeafGroup {
  uint32_t first_entry, bits;
  uint32_t leaf[2];
};

// Moves bit s to bit s ^ octant.
DEVICE uint32_t in_visiting_order(uint32_t slots, uint32_t octant) {
  if (octant & 1u) slots = (slots & 0x55u) << 1 | (slots & 0xaau) >> 1;
  if (octant & 2u) slots = (slots & 0x33u) << 2 | (slots & 0xccu) >> 2;
  if (octant & 4u) slots = (slots & 0x0fu) << 4 | (slots & 0xf0u) >> 4;
  return slots;
}

// Takes the next slot out of bits.
DEVICE uint32_t next_slot(uint32_t& bits, uint32_t octant) {
  const uint32_t slot = static_cast<uint32_t>(lowest_bit(bits)) ^ octant;
  bits &= bits - 1;
  return slot;
}

// As walk_nearest_first.
template <class Visitor>
DEVICE bool walk_octant_order(const CompressedNode* nodes, uint32_t root, const BoxRay& ray,
                              Visitor& visitor) {
  NodeGroup stack[MAX_DEPTH];
  int size = 0;
  const uint32_t octant = ray.octant, slot_zero = 1u << octant;
  LeafGroup leaves = {leaf_first(root), is_leaf(root) ? slot_zero : 0u, {leaf_count(root), 0}};
  NodeGroup group = {root, is_leaf(root) ? 0u : slot_zero};
  for (;;) {
    while (leaves.bits) {
      const uint32_t leaf = leaf_byte(leaves.leaf, next_slot(leaves.bits, octant));
      if (visitor.visit_leaf(leaves.first_entry + (leaf >> 3), leaf & 7u)) return true;
    }
    if (!(group.bits & 255u)) {
      if (size == 0) return false;
      group = stack[--size];
    }
    const uint32_t slot = next_slot(group.bits, octant);
    const uint32_t rank = static_cast<uint32_t>(count_bits(group.bits >> 8 & ((1u << slot) - 1)));
    const CompressedHits hits = hit_children(nodes[group.first_child + rank], ray, visitor.t_max());
    leaves = {hits.first_entry, in_visiting_order(hits.slots & ~hits.inner, octant),
              {hits.leaf[0], hits.leaf[1]}};
    const uint32_t inner = in_visiting_order(hits.slots & hits.inner, octant);
    if (inner) {
      if (group.bits & 255u) stack[size++] = group;
      group = {hits.first_child, inner | hits.inner << 8};
    }
  }
}
