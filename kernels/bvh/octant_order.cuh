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

enum class Visit { CONTINUE, STOP, DESCEND };

// A group for each level of both trees, and what waits while a tree below is walked.
constexpr int OCTANT_ORDER_STACK = 2 * MAX_DEPTH + 2;

// Visits the leaves below root (a child word) that the ray visitor.box() may hit before
// visitor.t_max(). visitor.visit_leaf(first, count) says how to go on: with the next; not at all,
// the result is then true; or down into the tree visitor.root(), with the box() of then, and
// visitor.ascend() at its end.
template <class Visitor>
DEVICE bool walk_octant_order(const CompressedNode* nodes, uint32_t root, Visitor& visitor) {
  NodeGroup stack[OCTANT_ORDER_STACK];
  int size = 0, base = 0;  // what waits lies below base
  LeafGroup leaves;
  NodeGroup group;
  const auto begin = [&](uint32_t tree) {
    const uint32_t slot_zero = 1u << visitor.box().octant;
    leaves = {leaf_first(tree), is_leaf(tree) ? slot_zero : 0u, {leaf_count(tree), 0}};
    group = {tree, is_leaf(tree) ? 0u : slot_zero};
  };
  begin(root);
  for (;;) {
    while (leaves.bits) {
      const uint32_t leaf =
          leaf_byte(leaves.leaf, next_slot(leaves.bits, visitor.box().octant));
      const Visit visit = visitor.visit_leaf(leaves.first_entry + (leaf >> 3), leaf & 7u);
      if (visit == Visit::STOP) return true;
      if (visit == Visit::DESCEND) {
        stack[size++] = {leaves.first_entry, leaves.bits};
        stack[size++] = {leaves.leaf[0], leaves.leaf[1]};
        stack[size++] = group;
        base = size;
        begin(visitor.root());
      }
    }
    if (!(group.bits & 255u)) {
      if (size == 0) return false;
      group = stack[--size];
      if (size < base) {
        visitor.ascend();
        leaves.leaf[0] = stack[--size].first_child;
        leaves.leaf[1] = stack[size].bits;
        leaves.first_entry = stack[--size].first_child;
        leaves.bits = stack[size].bits;
        base = 0;
        continue;
      }
    }
    const uint32_t octant = visitor.box().octant;
    const uint32_t slot = next_slot(group.bits, octant);
    const uint32_t rank = static_cast<uint32_t>(count_bits(group.bits >> 8 & ((1u << slot) - 1)));
    const CompressedHits hits =
        hit_children(nodes[group.first_child + rank], visitor.box(), visitor.t_max());
    leaves = {hits.first_entry, in_visiting_order(hits.slots & ~hits.inner, octant),
              {hits.leaf[0], hits.leaf[1]}};
    const uint32_t inner = in_visiting_order(hits.slots & hits.inner, octant);
    if (inner) {
      if (group.bits & 255u) stack[size++] = group;
      group = {hits.first_child, inner | hits.inner << 8};
    }
  }
}
