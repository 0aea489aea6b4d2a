// Builds many trees, large and small, on several threads, so that the result is the same for any
// number of them: large sets are divided into treelets; treelets are built by whichever thread is
// free, and appended in order; what is above them is written last.
#pragma once
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "../../bvh/tree_depth.cuh"
#include "../thread_pool.h"
#include "monitor.h"
#include "pages.h"
#include "treelet.h"

// A set of references above treelets, or one that becomes a treelet or a leaf.
struct TopNode {
  ReferenceSet set;
  int levels;  // that may lie below
  std::unique_ptr<TopNode> left, right;
};

// Of the area of the whole tree's box. A treelet is one node at least, and its box no smaller than
// the largest box in it: the walls of a room would have every ray visit the nodes of all treelets
// that hold a piece of them. So sets larger than this are divided until what is large stands alone,
// above the treelets, where Collapse finds its place; or until dividing does not help.
constexpr float LARGE = 1.0f / 256;

// Divides a set down to treelets, further where it is larger than large.
std::unique_ptr<TopNode> divide_to_treelets(Reference* references, const ReferenceSet& set,
                                            float large, int levels, unsigned threads,
                                            Monitor& monitor);

// Leaves says what the references stand for: its Entry, its costs, and
// append(tree, reference, count, entries), which appends the entries of a leaf.
template <class Layout, class Leaves>
class ForestBuilder {
 public:
  using Node = typename Layout::Node;
  using Entry = typename Leaves::Entry;

  // Appends to nodes and entries.
  ForestBuilder(const Leaves& leaves, AlignedVector<Reference>& references, unsigned threads,
                Monitor& monitor, AlignedVector<Node>& nodes, AlignedVector<Entry>& entries)
      : leaves_(leaves), references_(references), threads_(threads), monitor_(monitor),
        nodes_(nodes), entries_(entries) {}

  // The trees' sets follow one another in the references, which are of no use afterwards. The
  // child words of the roots. Advances the monitor by two for each reference.
  std::vector<uint32_t> build(const std::vector<ReferenceSet>& sets) {
    for (uint32_t tree = 0; tree < sets.size(); tree++) {
      tops_.push_back(divide_to_treelets(references_.data(), sets[tree],
                                         sets[tree].box.area() * LARGE, MAX_DEPTH - 1, threads_,
                                         monitor_));
      collect_treelets(*tops_.back(), tree);
    }
    build_treelets();
    std::vector<uint32_t> roots;
    uint32_t treelet = 0;
    for (uint32_t tree = 0; tree < sets.size(); tree++) roots.push_back(write_top(tree, treelet));
    return roots;
  }

 private:
  struct Job {
    const TopNode* top;
    uint32_t tree;
  };
  // What is left of a treelet when the rest has found its place.
  struct Above {
    Node root;
    float cost;
  };

  bool is_leaf(const ReferenceSet& set) const { return set.count <= leaves_.costs().max_leaf; }

  // The references of leaves above treelets are kept apart: those of treelets go as they are built.
  void collect_treelets(TopNode& top, uint32_t tree) {
    if (is_leaf(top.set)) {
      const Reference* first = references_.data() + top.set.first;
      renumber(top, static_cast<uint32_t>(kept_.size()) - top.set.first);
      kept_.insert(kept_.end(), first, first + top.set.count);
    } else if (top.left) {
      collect_treelets(*top.left, tree);
      collect_treelets(*top.right, tree);
    } else {
      jobs_.push_back({&top, tree});
    }
  }

  // Modulo 2^32: shift may stand for less than nothing.
  static void renumber(TopNode& top, uint32_t shift) {
    top.set.first += shift;
    if (!top.left) return;
    renumber(*top.left, shift);
    renumber(*top.right, shift);
  }

  void build_treelets() {
    waiting_.resize(jobs_.size());
    above_.resize(jobs_.size());
    std::atomic<uint32_t> next{0};
    const auto useful = std::min<size_t>(threads_, jobs_.size() + 1);
    on_threads(static_cast<unsigned>(useful), [&] {
      TreeletBuilder builder(leaves_.costs(), monitor_);
      Treelet<Layout, Entry> treelet;
      for (uint32_t i; (i = next++) < jobs_.size();) {
        const Job& job = jobs_[i];
        const auto add_leaf = [&](const Reference* first, uint32_t count, auto& entries) {
          leaves_.append(job.tree, first, count, entries);
        };
        builder.build(references_.data(), job.top->set, job.top->levels, add_leaf, treelet);
        append_in_order(i, treelet);
        monitor_.advance(job.top->set.count);
      }
    });
  }

  // Appends a treelet and those that waited for it, or lets it wait for those before it.
  void append_in_order(uint32_t i, Treelet<Layout, Entry>& treelet) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (i != appended_) {
      waiting_[i] = std::make_unique<Treelet<Layout, Entry>>(std::move(treelet));
      return;
    }
    append(treelet);
    for (; appended_ < waiting_.size() && waiting_[appended_];) {
      const auto next = std::move(waiting_[appended_]);
      append(*next);
    }
  }

  void append(Treelet<Layout, Entry>& treelet) {
    const auto first_node = static_cast<uint32_t>(nodes_.size());
    const auto first_entry = static_cast<uint32_t>(entries_.size());
    if (entries_.size() + treelet.entries.size() >= MAX_ENTRIES)
      throw std::invalid_argument("the scene has more than the " + std::to_string(MAX_ENTRIES - 1) +
                                  " leaf entries that can be traced");
    for (Node& node : treelet.nodes) relocate(node, first_node, first_entry);
    relocate(treelet.root, first_node, first_entry);
    nodes_.insert(nodes_.end(), treelet.nodes.begin(), treelet.nodes.end());
    entries_.insert(entries_.end(), treelet.entries.begin(), treelet.entries.end());
    above_[appended_] = {treelet.root, treelet.cost};
    give_back_before(jobs_[appended_++].top->set.end());
  }

  // Gives back the memory of references, many at a time: asking the system costs a microsecond or so.
  void give_back_before(uint32_t end) {
    constexpr uint32_t MANY = 1u << 18;
    if (end - given_back_ < MANY) return;
    give_back(&references_[given_back_], &references_[end - 1]);
    given_back_ = end;
  }

  uint32_t write_top(uint32_t tree, uint32_t& treelet) {
    BinaryTree binary;
    flatten(*tops_[tree], binary, treelet);
    Collapse collapse(binary, leaves_.costs());
    collapse.resize(binary.nodes.size());
    for (auto i = static_cast<uint32_t>(binary.nodes.size()); i-- > 0;) {
      const BinaryNode& node = binary.nodes[i];
      if (node.treelet)
        collapse.plan_treelet(i, above_[node.treelet - 1].cost);
      else if (node.right)
        collapse.plan_inner(i);
      else
        collapse.plan_leaf(i);
    }
    const auto add_leaf = [&](uint32_t first, uint32_t count) {
      const auto entry = static_cast<uint32_t>(entries_.size());
      leaves_.append(tree, kept_.data() + first, count, entries_);
      return leaf_word(entry, static_cast<uint32_t>(entries_.size()) - entry);
    };
    const auto treelet_node = [&](uint32_t number) { return above_[number].root; };
    return TreeWriter<Layout, decltype(add_leaf), decltype(treelet_node)>(
               binary, collapse, nodes_, add_leaf, treelet_node)
        .write();
  }

  void flatten(const TopNode& top, BinaryTree& binary, uint32_t& treelet) const {
    const size_t node = binary.nodes.size();
    binary.nodes.push_back({top.set.box, top.set.first, top.set.count, 0, 0});
    if (top.left) {
      flatten(*top.left, binary, treelet);
      binary.nodes[node].right = static_cast<uint32_t>(binary.nodes.size());
      flatten(*top.right, binary, treelet);
    } else if (!is_leaf(top.set)) {
      binary.nodes[node].treelet = ++treelet;
    }
  }

  const Leaves& leaves_;
  AlignedVector<Reference>& references_;
  const unsigned threads_;
  Monitor& monitor_;
  AlignedVector<Node>& nodes_;
  AlignedVector<Entry>& entries_;

  std::vector<std::unique_ptr<TopNode>> tops_;  // one for each tree
  std::vector<Job> jobs_;
  std::vector<Above> above_;
  AlignedVector<Reference> kept_;
  std::mutex mutex_;  // of what follows
  std::vector<std::unique_ptr<Treelet<Layout, Entry>>> waiting_;
  size_t appended_ = 0;
  uint32_t given_back_ = 0;  // references before it
};
