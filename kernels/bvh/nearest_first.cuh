// Traversal in order of distance, for processors with a cheap stack: the nearest child next, the
// others on the stack sorted far to near, and dropped when popped behind the closest hit. In the
// order of slots where the visitor would rather have that: which of two is nearer is a branch that
// cannot be foretold.
#pragma once
#include "node_float.cuh"
#include "tree_depth.cuh"

struct StackEntry {
  uint32_t child;
  float entry;
};

// Per level all children but the one that is visited next.
constexpr int NEAREST_FIRST_STACK = 7 * MAX_DEPTH + 1;

// The hit children of a node, taken out of the mask one after another, each fetched when taken.
template <class Visitor>
struct HitChildren {
  const FloatNode* nodes;
  const FloatNode& node;
  const Lanes<8>& entry;
  const Visitor& visitor;
  uint32_t hits;

  DEVICE StackEntry take() {
    const int i = lowest_bit(hits);
    hits &= hits - 1;
    return {node.child[i], entry[i]};
  }
  DEVICE void fetch(const StackEntry& taken) const {
    if (is_leaf(taken.child)) visitor.prefetch_leaf(leaf_first(taken.child));
    else prefetch(nodes[taken.child]);
  }
};

// Takes the nearest of the children, of which first was taken, pushes the others.
template <class Visitor>
DEVICE uint32_t push_farther(HitChildren<Visitor>& children, const StackEntry& first,
                             StackEntry* stack, int& size) {
  const int base = size;
  const StackEntry second = children.take();
  children.fetch(first);
  children.fetch(second);
  if (first.entry <= second.entry) {
    stack[size++] = second;
    if (!children.hits) return first.child;
    stack[size++] = first;
  } else {
    stack[size++] = first;
    if (!children.hits) return second.child;
    stack[size++] = second;
  }
  while (children.hits) {
    const StackEntry next = children.take();
    children.fetch(next);
    int place = size++;
    for (; place > base && stack[place - 1].entry < next.entry; place--)
      stack[place] = stack[place - 1];
    stack[place] = next;
  }
  return stack[--size].child;
}

// Takes the last of the children, of which next was taken, pushes the others.
template <class Visitor>
DEVICE uint32_t push_others(HitChildren<Visitor>& children, StackEntry next, StackEntry* stack,
                            int& size) {
  children.fetch(next);
  do {
    stack[size++] = next;
    next = children.take();
    children.fetch(next);
  } while (children.hits);
  return next.child;
}

// The child to visit next.
template <class Visitor>
DEVICE uint32_t next_child(HitChildren<Visitor> children, StackEntry* stack, int& size) {
  const StackEntry first = children.take();
  if (!children.hits) return first.child;
  if constexpr (Visitor::goes_nearest_first) return push_farther(children, first, stack, size);
  else return push_others(children, first, stack, size);
}

// Visits the leaves below root (a child word) that the ray may hit before visitor.t_max(). Stops,
// and says true, when visitor.visit_leaf(first, count) does; visitor.prefetch_leaf(first) before.
// Visitor::goes_nearest_first says whether the order of distance is worth its cost.
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
        child = next_child<Visitor>({nodes, nodes[child], entry, visitor, hits}, stack, size);
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
