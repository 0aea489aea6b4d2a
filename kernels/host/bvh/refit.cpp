#include "refit.h"

#include <atomic>
#include <map>
#include <stdexcept>

#include "../../bvh/ray.cuh"
#include "../../bvh/tree_depth.cuh"
#include "../thread_pool.h"
#include "encode.h"
#include "placements.h"

namespace {

// Levels of wide nodes above the subtrees that the threads share out.
constexpr int LEVELS_ABOVE = 3;

[[noreturn]] void refuse() {
  throw std::invalid_argument(
      "the accelerator is not that of a scene with these meshes, triangles and masks");
}

// Works out the boxes of a tree from those of its leaves. Counts what it visits: arrays in which
// anything is reached twice are refused before it takes forever.
template <class Node>
class TreeRefit {
 public:
  explicit TreeRefit(AlignedVector<Node>& nodes) : nodes_(nodes) {}

  // below(child, level) is the box of a child that is a leaf or where is_end(level).
  template <class IsEnd, class Below>
  Box box_of(uint32_t child, int level, IsEnd is_end, const Below& below) {
    if (is_leaf(child) || is_end(level)) return below(child, level);
    if (child >= nodes_.size() || level >= MAX_DEPTH || visited_++ >= nodes_.size()) refuse();
    NodeContents contents = contents_of(nodes_[child]);
    Box whole;
    for (int s = 0; s < 8; s++) {
      if (!((contents.inner | contents.leaf) >> s & 1)) continue;
      contents.box[s] = box_of(contents.child[s], level + 1, is_end, below);
      whole.include(contents.box[s]);
    }
    encode(contents, nodes_[child]);
    return whole;
  }

 private:
  AlignedVector<Node>& nodes_;
  std::atomic<size_t> visited_{0};
};

template <class Layout>
class Refit {
 public:
  Refit(AcceleratorArrays<Layout>& arrays, const SceneView& scene, unsigned threads,
        Monitor& monitor)
      : arrays_(arrays), scene_(scene), threads_(threads), monitor_(monitor), tree_(arrays.nodes),
        maker_(scene, threads, monitor) {}

  void run() {
    check_scene(scene_, threads_, monitor_);
    uses_ = uses_of_meshes(scene_);
    const TreePlan plan = plan_trees(scene_);
    const uint64_t expected = triangle_count(scene_, plan);
    if (plan.uses.size() != arrays_.placements.size()) refuse();
    monitor_.expect(expected);
    collect_trees();
    refit_subtrees();
    if (triangles_ != expected) refuse();
    for (auto& [root, tree] : trees_) join_subtrees(root, tree);
    refit_top_level();
  }

 private:
  struct Tree {
    TreeSource source;
    uint32_t mask = 0;  // in world space
    size_t first_subtree = 0;
    Box box;
  };
  struct Subtree {
    const Tree* tree;
    uint32_t root;
    int level;
    Box box;
  };

  static bool is_above(int level) { return level >= LEVELS_ABOVE; }
  static bool never(int) { return false; }

  // Trees by their roots: those of repeated meshes have several placements.
  void collect_trees() {
    for (const Placement& placement : arrays_.placements) {
      const bool is_world = placement.flags & PLACEMENT_IN_WORLD;
      if (!is_world && placement.first_instance >= scene_.instances.size) refuse();
      const uint32_t mesh = is_world ? TreeSource::IN_WORLD
                                     : scene_.instances[placement.first_instance].mesh;
      const auto [entry, is_new] = trees_.try_emplace(placement.root);
      if (is_new) entry->second = {{mesh, {}}, placement.mask, 0, {}};
      if (entry->second.source.mesh != mesh) refuse();
    }
    for (auto& [root, tree] : trees_) {
      tree.first_subtree = subtrees_.size();
      collect_subtrees(tree, root, 0);
    }
  }

  void collect_subtrees(const Tree& tree, uint32_t child, int level) {
    if (is_leaf(child) || is_above(level)) {
      subtrees_.push_back({&tree, child, level, {}});
      return;
    }
    if (child >= arrays_.nodes.size()) refuse();
    const NodeContents contents = contents_of(arrays_.nodes[child]);
    for (int s = 0; s < 8; s++)
      if ((contents.inner | contents.leaf) >> s & 1)
        collect_subtrees(tree, contents.child[s], level + 1);
  }

  void refit_subtrees() {
    parallel_for(static_cast<uint32_t>(subtrees_.size()), 1, threads_, [&](uint32_t i) {
      Subtree& subtree = subtrees_[i];
      const auto leaf_box = [&](uint32_t leaf, int) {
        return refit_leaf(*subtree.tree, leaf_first(leaf), leaf_count(leaf));
      };
      subtree.box = tree_.box_of(subtree.root, subtree.level, never, leaf_box);
    });
  }

  // In the order in which they were collected.
  void join_subtrees(uint32_t root, Tree& tree) {
    size_t next = tree.first_subtree;
    const auto subtree_box = [&](uint32_t, int) { return subtrees_[next++].box; };
    tree.box = tree_.box_of(root, 0, is_above, subtree_box);
  }

  Box refit_leaf(const Tree& tree, uint32_t first, uint32_t count) {
    if (size_t{first} + count > arrays_.blocks.size()) refuse();
    Box box;
    uint32_t triangles = 0;
    for (uint32_t b = first; b < first + count; b++) {
      auto& block = arrays_.blocks[b];
      for (uint32_t lane = 0; lane < Layout::block_width; lane++) {
        const bool is_filling = lane > 0 && block.instance[lane] == block.instance[lane - 1] &&
                                !((block.triangle[lane] ^ block.triangle[lane - 1]) & ~MAY_BE_ABSENT);
        triangles += is_filling ? 0 : 1;
        box.include(refit_lane(tree, block, lane));
      }
    }
    triangles_ += triangles;
    monitor_.advance(triangles);
    return box;
  }

  Box refit_lane(const Tree& tree, typename Layout::Block& block, uint32_t lane) const {
    const TreeSource& source = tree.source;
    const uint32_t instance = block.instance[lane];
    const uint32_t triangle = block.triangle[lane] & ~MAY_BE_ABSENT;
    if (source.is_in_world() ? !is_in_tree(instance, tree.mask) : instance != 0) refuse();
    const uint32_t mesh = source.is_in_world() ? scene_.instances[instance].mesh : source.mesh;
    if (triangle >= scene_.meshes[mesh].triangle_count) refuse();
    set_lane(block, lane, TriangleReader(scene_, source, instance), instance, triangle);
    Box box;
    for (int k = 0; k < 3; k++) {
      const auto& at = block.corner;
      box.include(Box::at(lanes_of({at[3 * k][lane], at[3 * k + 1][lane], at[3 * k + 2][lane]})));
    }
    return box;
  }

  // Of trees in world space.
  bool is_in_tree(uint32_t instance, uint32_t mask) const {
    return instance < scene_.instances.size && scene_.instances[instance].mask == mask &&
           is_in_world(scene_.instances[instance], uses_);
  }

  void refit_top_level() {
    if (arrays_.placements.empty()) return;
    const auto leaf_box = [&](uint32_t leaf, int) {
      Box box;
      for (uint32_t i = leaf_first(leaf); i < leaf_first(leaf) + leaf_count(leaf); i++) {
        if (i >= arrays_.placements.size()) refuse();
        box.include(refit_placement(arrays_.placements[i]));
      }
      return box;
    };
    tree_.box_of(arrays_.root, 0, never, leaf_box);
  }

  Box refit_placement(Placement& placement) {
    const bool is_world = placement.flags & PLACEMENT_IN_WORLD;
    const TreeUse use = {0, is_world ? NO_INSTANCE : placement.first_instance, placement.mask};
    if (!is_world && scene_.instances[use.instance].mask != placement.mask) refuse();
    Box box = trees_.at(placement.root).box;
    placement = maker_.make(use, placement.root, box);
    return box;
  }

  AcceleratorArrays<Layout>& arrays_;
  const SceneView& scene_;
  const unsigned threads_;
  Monitor& monitor_;
  TreeRefit<typename Layout::Node> tree_;
  PlacementMaker maker_;
  std::vector<uint32_t> uses_;  // of each mesh
  std::map<uint32_t, Tree> trees_;
  std::vector<Subtree> subtrees_;
  std::atomic<uint64_t> triangles_{0};
};

}  // namespace

template <class Layout>
void refit(AcceleratorArrays<Layout>& arrays, const SceneView& scene, unsigned threads,
           Monitor& monitor) {
  Refit<Layout>(arrays, scene, threads, monitor).run();
}

template void refit(AcceleratorArrays<FloatLayout>&, const SceneView&, unsigned, Monitor&);
template void refit(AcceleratorArrays<CompressedLayout>&, const SceneView&, unsigned, Monitor&);
