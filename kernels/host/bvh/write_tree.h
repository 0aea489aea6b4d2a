// Turns a binary tree into the nodes of a layout.
#pragma once
#include <algorithm>

#include "aligned_vector.h"
#include "collapse.h"
#include "encode.h"
#include "slots.h"

// Appends the wide nodes of a tree and returns its root as a child word. add_leaf(first, count)
// appends the leaf entries of a run of tree.references and returns their child word.
template <class Layout, class AddLeaf>
class TreeWriter {
 public:
  using Nodes = AlignedVector<typename Layout::Node>;

  TreeWriter(const BinaryTree& tree, const CollapseCosts& costs, Nodes& nodes, AddLeaf add_leaf)
      : tree_(tree), collapse_(tree, costs), nodes_(nodes), add_leaf_(add_leaf) {}

  uint32_t write() {
    if (collapse_.is_leaf(0)) return leaf_of(0);
    const uint32_t root = append_nodes(1);
    pending_.push_back({0, root});
    while (!pending_.empty()) {
      const Pending next = pending_.back();
      pending_.pop_back();
      write_node(next.binary, next.wide);
    }
    return root;
  }

 private:
  struct Pending {
    uint32_t binary, wide;
  };

  uint32_t leaf_of(uint32_t node) {
    return add_leaf_(tree_.nodes[node].first, tree_.nodes[node].count);
  }

  uint32_t append_nodes(size_t count) {
    const size_t first = nodes_.size();
    nodes_.resize(first + count);
    return static_cast<uint32_t>(first);
  }

  Slots slots_of(uint32_t binary) const {
    const WideChildren children = collapse_.children(binary);
    if constexpr (Layout::has_octant_slots)
      return slots_by_octant(children, tree_, tree_.nodes[binary].box);
    else
      return slots_in_order(children);
  }

  void write_node(uint32_t binary, uint32_t wide) {
    const Slots slots = slots_of(binary);
    NodeContents contents = {};
    size_t inner_count = 0;
    for (const WideChild& child : slots)
      inner_count += child.node != NO_NODE && !child.is_leaf ? 1 : 0;
    uint32_t next_child = contents.first_child = append_nodes(inner_count);
    const size_t pending_before = pending_.size();
    for (int s = 0; s < WIDTH; s++) {
      const WideChild child = slots[s];
      if (child.node == NO_NODE) continue;
      contents.box[s] = tree_.nodes[child.node].box;
      if (child.is_leaf) {
        contents.child[s] = leaf_of(child.node);
        if (contents.leaf == 0) contents.first_entry = leaf_first(contents.child[s]);
        contents.leaf |= static_cast<uint8_t>(1u << s);
      } else {
        contents.child[s] = next_child++;
        contents.inner |= static_cast<uint8_t>(1u << s);
        pending_.push_back({child.node, contents.child[s]});
      }
    }
    std::reverse(pending_.begin() + static_cast<std::ptrdiff_t>(pending_before), pending_.end());
    encode(contents, nodes_[wide]);
  }

  const BinaryTree& tree_;
  const Collapse collapse_;
  Nodes& nodes_;
  AddLeaf add_leaf_;
  std::vector<Pending> pending_;
};

template <class Layout, class AddLeaf>
uint32_t write_tree(const BinaryTree& tree, const CollapseCosts& costs,
                    AlignedVector<typename Layout::Node>& nodes, AddLeaf add_leaf) {
  return TreeWriter<Layout, AddLeaf>(tree, costs, nodes, add_leaf).write();
}
