#include "build_accelerator.h"

#include <algorithm>
#include <cstring>

#include "forest.h"
#include "placements.h"
#include "tree_sources.h"

namespace {

// What the leaves of the bottom level hold: blocks of triangles.
template <class Layout>
class TriangleLeaves {
 public:
  using Entry = typename Layout::Block;

  TriangleLeaves(const SceneView& scene, const TreePlan& plan) : scene_(scene), plan_(plan) {}

  static CollapseCosts costs() {
    return {Layout::node_cost, Layout::block_cost, Layout::block_width, 4};
  }

  // The last block is filled up with copies of the last triangle.
  void append(uint32_t tree, const Reference* references, uint32_t count,
              AlignedVector<Entry>& blocks) const {
    constexpr uint32_t width = Layout::block_width;
    uint32_t instance = references[0].instance();
    TriangleReader reader(scene_, plan_.sources[tree], instance);
    for (uint32_t first = 0; first < count; first += width) {
      Entry& block = blocks.emplace_back();
      std::memset(&block, 0, sizeof(block));  // what pads it must not differ either
      for (uint32_t lane = 0; lane < width; lane++) {
        const Reference& reference = references[std::min(first + lane, count - 1)];
        if (reference.instance() != instance) {
          instance = reference.instance();
          reader = TriangleReader(scene_, plan_.sources[tree], instance);
        }
        set_lane(block, lane, reader, instance, reference.primitive());
      }
    }
  }

 private:
  const SceneView& scene_;
  const TreePlan& plan_;
};

// What the leaves of the top level hold: one placement each, which costs a ray a transform, a new
// set-up and at least one visit below.
struct PlacementLeaves {
  using Entry = Placement;
  const std::vector<Placement>& placements;

  static CollapseCosts costs() { return {1.0f, 4.0f, 1, 1}; }

  void append(uint32_t, const Reference* references, uint32_t count,
              AlignedVector<Placement>& entries) const {
    for (uint32_t i = 0; i < count; i++) entries.push_back(placements[references[i].primitive()]);
  }
};

template <class Layout>
void build_top_level(const SceneView& scene, const TreePlan& plan,
                     const std::vector<ReferenceSet>& sets, const std::vector<uint32_t>& roots,
                     unsigned threads, Monitor& monitor, AcceleratorArrays<Layout>& arrays) {
  std::vector<Placement> placements;
  AlignedVector<Reference> references;
  PlacementMaker maker(scene, threads, monitor);
  for (const TreeUse& use : plan.uses) {
    Box box = sets[use.tree].box;
    const auto number = static_cast<uint32_t>(placements.size());
    placements.push_back(maker.make(use, roots[use.tree], box));
    references.push_back(Reference::of(box, 0, number));
  }
  const ReferenceSet set = set_of(references.data(), 0, static_cast<uint32_t>(references.size()));
  const PlacementLeaves leaves = {placements};
  arrays.placements.reserve(placements.size());
  arrays.root = ForestBuilder<Layout, PlacementLeaves>(leaves, references, threads, monitor,
                                                       arrays.nodes, arrays.placements)
                    .build({set})[0];
}

}  // namespace

template <class Layout>
AcceleratorArrays<Layout> build_accelerator(const SceneView& scene, unsigned threads,
                                            Monitor& monitor) {
  check_scene(scene, threads, monitor);
  const TreePlan plan = plan_trees(scene);
  AcceleratorArrays<Layout> arrays;
  if (plan.uses.empty()) return arrays;
  // As the parts of the build advance it.
  monitor.expect(3 * triangle_count(scene, plan) + 2 * plan.uses.size());
  TreeReferences references = references_of(scene, plan, threads, monitor);
  const std::vector<ReferenceSet> sets = references.sets;
  // About what is needed: growing would take up to three times the memory for a moment.
  arrays.nodes.reserve(references.all.size() / 8);
  arrays.blocks.reserve(Layout::block_width == 1 ? references.all.size()
                                                 : references.all.size() / 2);
  const TriangleLeaves<Layout> leaves(scene, plan);
  const std::vector<uint32_t> roots =
      ForestBuilder<Layout, TriangleLeaves<Layout>>(leaves, references.all, threads, monitor,
                                                    arrays.nodes, arrays.blocks)
          .build(sets);
  build_top_level(scene, plan, sets, roots, threads, monitor, arrays);
  return arrays;
}

template AcceleratorArrays<FloatLayout> build_accelerator(const SceneView&, unsigned, Monitor&);
template AcceleratorArrays<CompressedLayout> build_accelerator(const SceneView&, unsigned,
                                                               Monitor&);
