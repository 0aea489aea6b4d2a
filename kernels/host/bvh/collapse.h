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
  Collapse(const BinaryTree& tree, const CollapseCosts& costs) : tree_(tree), costs_(costs) {}

  // The nodes are planned from the last to the first: parts come before what they are parts of.
  void resize(size_t nodes) { plans_.resize(nodes); }
  void plan_leaf(uint32_t node);
  void plan_inner(uint32_t node);
  // A subtree that is one node already, at that cost.
  void plan_treelet(uint32_t node, float cost);

  // Whether the subtree is cheapest as one leaf.
  bool is_leaf(uint32_t node) const { return plans_[node].split[0] == LEAF; }
  // Of the subtree as one node or leaf.
  float cost(uint32_t node) const { return plans_[node].cost[0]; }

  // The children of the wide node that replaces an inner node.
  WideChildren children(uint32_t node) const;

 private:
  // How to represent a subtree by at most i + 1 roots: split[i] is the number of roots that its
  // left part gets, LEAF or NODE where it is one root. Costs never rise; where one does not fall,
  // the root more is of no use. split[7] is for the eight children of the node itself.
  static constexpr uint8_t LEAF = 0, NODE = 254;
  struct Plan {
    std::array<float, WIDTH> cost;
    std::array<uint8_t, WIDTH> split;
  };

  float leaf_cost(uint32_t node) const;
  void gather(uint32_t node, int roots, WideChildren& result) const;

  const BinaryTree& tree_;
  const CollapseCosts costs_;
  std::vector<Plan> plans_;
};
