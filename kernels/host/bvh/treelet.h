// The lowest levels of a tree: few enough references that all of the work on them stays in a
// processor's own cache.
#pragma once
#include "collapse.h"
#include "split.h"
#include "write_tree.h"

constexpr uint32_t MAX_TREELET = 2048;

// Wide nodes and leaf entries, numbered from zero, and the node above them.
template <class Layout, class Entry>
struct Treelet {
  AlignedVector<typename Layout::Node> nodes;
  AlignedVector<Entry> entries;
  typename Layout::Node root;
  float cost;  // of the subtree, by the surface area heuristic
};

// One per thread: its memory serves one treelet after another.
class TreeletBuilder {
 public:
  TreeletBuilder(const CollapseCosts& costs, Monitor& monitor)
      : collapse_(tree_, costs), smallest_(costs.entry_width), monitor_(monitor) {
    tree_.nodes.resize(2 * MAX_TREELET);
    collapse_.resize(2 * MAX_TREELET);
  }

  // Of more references than a leaf holds; the set's node has so many levels below it.
  // add_leaf(reference, count, entries) appends leaf entries.
  template <class Layout, class Entry, class AddLeaf>
  void build(Reference* references, const ReferenceSet& set, int levels, AddLeaf add_leaf,
             Treelet<Layout, Entry>& result) {
    references_ = references;
    build_node(0, set, levels);
    result.nodes.clear();
    result.entries.clear();
    const auto append_leaf = [&](uint32_t first, uint32_t count) {
      const auto entry = static_cast<uint32_t>(result.entries.size());
      add_leaf(references + first, count, result.entries);
      return leaf_word(entry, static_cast<uint32_t>(result.entries.size()) - entry);
    };
    const auto no_treelet = [](uint32_t) -> typename Layout::Node { return {}; };
    result.root = TreeWriter<Layout, decltype(append_leaf), decltype(no_treelet)>(
                      tree_, collapse_, result.nodes, append_leaf, no_treelet)
                      .write_below_root();
    result.cost = collapse_.cost(0);
  }

 private:
  void build_node(uint32_t node, const ReferenceSet& set, int levels) {
    tree_.nodes[node] = {set.box, set.first, set.count, 0, 0};
    if (set.count <= smallest_) return collapse_.plan_leaf(node);
    const Halves halves = divide(references_, set, levels, 1, monitor_);
    const uint32_t right = node + 2 * halves.left.count;
    tree_.nodes[node].right = right;
    build_node(node + 1, halves.left, levels - 1);
    build_node(right, halves.right, levels - 1);
    collapse_.plan_inner(node);
  }

  BinaryTree tree_;
  Collapse collapse_;
  const uint32_t smallest_;  // sets so small are not divided
  Monitor& monitor_;
  Reference* references_ = nullptr;
};
