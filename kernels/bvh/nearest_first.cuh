// Traversal in order of distance, for processors with a cheap stack: the nearest child next, the
// others on the stack sorted far to near, and dropped when popped behind the closest hit.
#pragma once
#include "node_float.cuh"
#include "tree_depth.cuh"

struct StackEntry {
  uint32_t child;
  float entry;
};

// Per level all children but the one that is visited next.
constexpr int NEAREST_FIRST_STACK = 7 * MAX_DEPTH + 1;

template <class Visitor>
DEVICE void prefetch_child(const FloatNode* nodes, uint32_t child, const Visitor& visitor) {
  if (is_leaf(child)) visitor.prefetch_leaf(leaf_first(child));
  else prefetch(nodes[child]);
}

// Takes the nearest of the hit children of a node, pushes the others. Mostly there are two or
// three; the first two are fetched while they are put in order.
template <class Visitor>
DEVICE uint32_t push_farther(const FloatNode* nodes, const FloatNode& node, uint32_t hits,
                             const Lanes<8>& entry, const Visitor& visitor, StackEntry* stack,
                             int& size) {
  const auto take = [&]() -> StackEntry {
    const int i = lowest_bit(hits);
    hits &= hits - 1;
    return {node.child[i], entry[i]};
  };
  const StackEntry first = take();
  if (!hits) return first.child;
  const int base = size;
  const StackEntry second = take();
  prefetch_child(nodes, first.child, visitor);
  prefetch_child(nodes, second.child, visitor);
  if (first.entry <= second.entry) {
    stack[size++] = second;
    if (!hits) return first.child;
    stack[size++] = first;
  } else {
    stack[size++] = first;
    if (!hits) return second.child;
    stack[size++] = second;
  }
  while (hits) {
    const StackEntry next = take();
    int place = size++;
    for (; place > base && stack[place - 1].entry < next.entry; place--)
      stack[place] = stack[place - 1];
    stack[place] = next;
  }
  return stack[--size].child;
}

// Visits the leaves below root (a child word) that the ray may hit before visitor.t_max(). Stops,
// and says true, when visitor.visit_leaf(first, count) does; visitor.prefetch_leaf(first) before.
template <class Visitor>
DEVICE bool walk_nearest_first(const FloatNode* nodes, uint32_t root, const BoxRay& ray,
                               Visitor& visitor) {
  StackEntry stack[NEAREST_FIRST_STACK];
  int size = 0;
  uint32_t child = root;
  for (;;) {
    if (is_leaf(child)) {
      if (visitor.visit_leaf(leaf_first(child), leaf_count(child))) return true;
    } else {
      Lanes<8> entry;
      const uint32_t hits = hit_children(nodes[child], ray, visitor.t_max(), entry);
      if (hits) {
        child = push_farther(nodes, nodes[child], hits, entry, visitor, stack, size);
        continue;
      }
    }
    const float limit = product(visitor.t_max(), NODE_SLACK);
    do {
      if (size == 0) return false;
      size--;
    } while (stack[size].entry > limit);
    child = stack[size].child;
  }
}
