#include "build_accelerator.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "forest.h"
#include "tree_sources.h"

namespace {

// Roundings of an object ray and of this box itself, relative to the terms of the transform.
constexpr double PLACEMENT_PADDING = 2e-6;

// The world box of an object box, by interval arithmetic: exact for the box, never too small.
Box world_box(const Transform& m, const Box& object) {
  Lanes<4> low = all_lanes<4>(0.0f), high = low;
  for (int i = 0; i < 3; i++) {
    const double offset = m.rows[i][3];
    double least = offset, most = offset, size = std::fabs(offset);
    for (int j = 0; j < 3; j++) {
      const double a = static_cast<double>(m.rows[i][j]) * static_cast<double>(object.low(j));
      const double b = static_cast<double>(m.rows[i][j]) * static_cast<double>(object.high(j));
      least += std::min(a, b);
      most += std::max(a, b);
      size += std::max(std::fabs(a), std::fabs(b));
    }
    const double padding = size * PLACEMENT_PADDING;
    low.v[i] = static_cast<float>(least - padding);
    high.v[i] = static_cast<float>(most + padding);
  }
  Box world = Box::at(low);
  world.include(Box::at(high));
  return world;
}

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
        set_lane(block, lane, reference, reader);
      }
    }
  }

 private:
  static void set_lane(Entry& block, uint32_t lane, const Reference& reference,
                       const TriangleReader& reader) {
    const TriangleReader::Corners at = reader.read(reference.primitive());
    for (int k = 0; k < 3; k++)
      for (int a = 0; a < 3; a++) block.corner[3 * k + a][lane] = at.corner[k][a];
    block.instance[lane] = reference.instance();
    block.triangle[lane] =
        reference.primitive() | (reader.is_cut(reference.primitive()) ? MAY_BE_ABSENT : 0u);
  }

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

Float3 float3_of(Lanes<4> v) { return {v[0], v[1], v[2]}; }

// The box of the whole motion: that of all keys, as moving_transform.cuh says. The padding of each
// covers what interpolation rounds.
Box swept_box(const SceneView& scene, const Instance& instance, const Box& object) {
  Box box = world_box(instance.world_from_object, object);
  for (uint32_t i = 0; i < instance.motion.key_count; i++)
    box.include(world_box(scene.keys[size_t{instance.motion.first_key} + i], object));
  return box;
}

Placement placement_of(const SceneView& scene, const TreeUse& use, uint32_t root, Box& box) {
  Placement placement = {{}, {}, {}, root, 0, use.mask, PLACEMENT_IN_WORLD, {}};
  if (use.instance != NO_INSTANCE) {
    const Instance& instance = scene.instances[use.instance];
    placement.object_from_world = instance.object_from_world;
    placement.first_instance = use.instance;
    placement.flags = 0;
    placement.motion = instance.motion;
    box = swept_box(scene, instance, box);
  }
  placement.low = float3_of(all_lanes<4>(0.0f) - box.negated_lows());
  placement.high = float3_of(box.highs());
  return placement;
}

// As the parts of a build advance the monitor.
uint64_t work_of(const SceneView& scene, const TreePlan& plan) {
  uint64_t triangles = 0;
  for (const TreeSource& source : plan.sources) {
    if (!source.is_in_world()) triangles += scene.meshes[source.mesh].triangle_count;
    for (const uint32_t instance : source.instances)
      triangles += scene.meshes[scene.instances[instance].mesh].triangle_count;
  }
  return 3 * triangles + 2 * plan.uses.size();
}

template <class Layout>
void build_top_level(const SceneView& scene, const TreePlan& plan,
                     const std::vector<ReferenceSet>& sets, const std::vector<uint32_t>& roots,
                     unsigned threads, Monitor& monitor, AcceleratorArrays<Layout>& arrays) {
  std::vector<Placement> placements;
  AlignedVector<Reference> references;
  for (const TreeUse& use : plan.uses) {
    Box box = sets[use.tree].box;
    const auto number = static_cast<uint32_t>(placements.size());
    placements.push_back(placement_of(scene, use, roots[use.tree], box));
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
  monitor.expect(work_of(scene, plan));
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
