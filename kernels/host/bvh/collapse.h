// Which nodes of a binary tree become the children of eight-wide nodes, and which subtrees become
// leaves: the choice of least expected cost, by dynamic programming (Ylitie et al. 2017).
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "binary_tree.h"

constexpr int WIDTH = 8;

// Cost of visiting a node and one leaf entry, relative to each other; entries hold entry_width
// references each, and a leaf at most max_leaf references.
struct CollapseCosts {
  float node, entry;
  uint32_t entry_width, max_leaf;

  uint32_t entries(uint32_t references) const {
    return (references + entry_width - 1) / entry_width;
  }
};

struct WideChild {
  uint32_t node;  // of the binary tree
  bool is_leaf;
};

struct WideChildren {
  std::array<WideChild, WIDTH> child;
  int count = 0;
};

class Collapse {
 public:
  Collapse(const BinaryTree& tree, const CollapseCosts& costs);

  // Whether the subtree is cheapest as one leaf.
  bool is_leaf(uint32_t node) const { return plans_[node].split[0] == LEAF; }

  // The children of the wide node that replaces an inner node.
  WideChildren children(uint32_t node) const;

 private:
  // How to represent a subtree by at most i + 1 roots: split[i] is the number of roots that its
  // left part gets, LEAF or NODE where it is one root, FEWER where i roots are cheapest. The last
  // is for the eight children of the node itself.
  static constexpr uint8_t LEAF = 0, NODE = 254, FEWER = 255;
  struct Plan {
    std::array<float, WIDTH - 1> cost;
    std::array<uint8_t, WIDTH> split;
  };

  Plan plan_leaf(uint32_t node, const CollapseCosts& costs) const;
  Plan plan_inner(uint32_t node, const CollapseCosts& costs) const;
  void gather(uint32_t node, int roots, WideChildren& result) const;
  float leaf_cost(uint32_t node, const CollapseCosts& costs) const;

  const BinaryTree& tree_;
  std::vector<Plan> plans_;
};
