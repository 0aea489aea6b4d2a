// Turns a binary tree into the nodes of a layout.
#pragma once
#include <algorithm>

#include "aligned_vector.h"
#include "collapse.h"
#include "encode.h"
#include "slots.h"

// Appends wide nodes to an array. add_leaf(first, count) appends the leaf entries of a run of
// references and returns their child word; treelet(number) is the node of a treelet.
template <class Layout, class AddLeaf, class TreeletNode>
class TreeWriter {
 public:
  using Node = typename Layout::Node;

  TreeWriter(const BinaryTree& tree, const Collapse& collapse, AlignedVector<Node>& nodes,
             AddLeaf add_leaf, TreeletNode treelet)
      : tree_(tree), collapse_(collapse), nodes_(nodes), add_leaf_(add_leaf), treelet_(treelet) {}

  // The root, which is inner, by itself; appends what is below it.
  Node write_below_root() {
    const Node root = wide_node(0);
    while (!pending_.empty()) {
      const Pending next = pending_.back();
      pending_.pop_back();
      const Node node = wide_node(next.binary);
      nodes_[next.wide] = node;
    }
    return root;
  }

  // Appends all; the child word of the root.
  uint32_t write() {
    const BinaryNode& root = tree_.nodes[0];
    if (collapse_.is_leaf(0)) return add_leaf_(root.first, root.count);
    const uint32_t place = append_nodes(1);
    const Node node = root.treelet ? treelet_(root.treelet - 1) : write_below_root();
    nodes_[place] = node;
    return place;
  }

 private:
  struct Pending {
    uint32_t binary, wide;
  };

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

  Node wide_node(uint32_t binary) {
    const Slots slots = slots_of(binary);
    NodeContents contents = {};
    size_t inner_count = 0;
    for (const WideChild& child : slots)
      inner_count += child.node != NO_NODE && !child.is_leaf ? 1 : 0;
    uint32_t next_child = contents.first_child = append_nodes(inner_count);
    const size_t pending_before = pending_.size();
    for (int s = 0; s < WIDTH; s++) {
      if (slots[s].node == NO_NODE) continue;
      const BinaryNode& child = tree_.nodes[slots[s].node];
      contents.box[s] = child.box;
      if (slots[s].is_leaf) {
        contents.child[s] = add_leaf_(child.first, child.count);
        if (contents.leaf == 0) contents.first_entry = leaf_first(contents.child[s]);
        contents.leaf |= static_cast<uint8_t>(1u << s);
        continue;
      }
      contents.child[s] = next_child++;
      contents.inner |= static_cast<uint8_t>(1u << s);
      if (child.treelet)
        nodes_[contents.child[s]] = treelet_(child.treelet - 1);
      else
        pending_.push_back({slots[s].node, contents.child[s]});
    }
    std::reverse(pending_.begin() + static_cast<std::ptrdiff_t>(pending_before), pending_.end());
    Node node;
    encode(contents, node);
    return node;
  }

  const BinaryTree& tree_;
  const Collapse& collapse_;
  AlignedVector<Node>& nodes_;
  AddLeaf add_leaf_;
  TreeletNode treelet_;
  std::vector<Pending> pending_;
};
