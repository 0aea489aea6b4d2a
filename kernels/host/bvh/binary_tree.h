// A binary tree over references, on its way to becoming eight-wide.
#pragma once
#include <cstdint>
#include <vector>

#include "box.h"

// A subtree over the references first ... first + count - 1. Its left part follows it at once.
struct BinaryNode {
  Box box;
  uint32_t first, count;
  uint32_t right;    // 0: no parts
  uint32_t treelet;  // of a node without parts that is a treelet (forest.h): its number and one
};

struct BinaryTree {
  std::vector<BinaryNode> nodes;

  static uint32_t left(uint32_t node) { return node + 1; }
  uint32_t right(uint32_t node) const { return nodes[node].right; }
  bool has_parts(uint32_t node) const { return nodes[node].right != 0; }
};
