// Binary bounding volume hierarchy over boxes, by the surface area heuristic in bins (Wald 2007,
// "On fast Construction of SAH-based Bounding Volume Hierarchies").
#pragma once
#include <cstdint>
#include <vector>

#include "box.h"

// What the tree is built over: the box of one primitive, and which.
struct Reference {
  Box box;
  uint32_t primitive;
};

// A subtree over the references first ... first + count - 1. It takes 2 count - 1 nodes in a row:
// itself, its left subtree, its right subtree.
struct BinaryNode {
  Box box;
  uint32_t first, count;

  bool is_leaf() const { return count == 1; }
};

// Every leaf holds one reference; the depth is at most MAX_DEPTH (tree_depth.cuh).
struct BinaryTree {
  std::vector<BinaryNode> nodes;
  std::vector<Reference> references;  // in the order of the leaves

  uint32_t left(uint32_t node) const { return node + 1; }
  uint32_t right(uint32_t node) const { return node + 2 * nodes[node + 1].count; }
};

// The tree is the same for any number of threads.
BinaryTree build_binary_tree(std::vector<Reference> references, int threads);
