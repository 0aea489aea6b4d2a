#include "tree_sources.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "../../bvh/child_word.cuh"
#include "../../bvh/ray.cuh"
#include "../thread_pool.h"

namespace {

// Triangles of one mesh that one thread reads at a time.
constexpr uint32_t PIECE = 1u << 14;

struct Piece {
  uint32_t tree, instance;
  uint32_t first, count;  // triangles of the mesh
  uint32_t reference;     // of the first
};

class PieceList {
 public:
  explicit PieceList(const SceneView& scene) : scene_(scene) {}

  void add(uint32_t tree, uint32_t instance, uint32_t mesh) {
    const uint32_t count = scene_.meshes[mesh].triangle_count;
    if (next_ + count >= MAX_ENTRIES)
      throw std::invalid_argument("the scene has more than the " + std::to_string(MAX_ENTRIES - 1) +
                                  " triangles that can be traced");
    for (uint32_t first = 0; first < count; first += PIECE)
      pieces_.push_back(
          {tree, instance, first, std::min(PIECE, count - first), next_ + first});
    next_ += count;
  }
  const std::vector<Piece>& pieces() const { return pieces_; }
  uint32_t references() const { return next_; }

 private:
  const SceneView& scene_;
  std::vector<Piece> pieces_;
  uint32_t next_ = 0;
};

PieceList pieces_of(const SceneView& scene, const TreePlan& plan) {
  PieceList list(scene);
  for (uint32_t tree = 0; tree < plan.sources.size(); tree++) {
    const TreeSource& source = plan.sources[tree];
    if (!source.is_in_world()) list.add(tree, 0, source.mesh);
    for (const uint32_t instance : source.instances)
      list.add(tree, instance, scene.instances[instance].mesh);
  }
  return list;
}

bool is_within_bounds(const Box& box) {
  for (int a = 0; a < 3; a++)
    if (!(-box.low(a) <= MAX_COORDINATE && box.high(a) <= MAX_COORDINATE)) return false;
  return true;
}

}  // namespace

TreePlan plan_trees(const SceneView& scene) {
  TreePlan plan;
  const std::vector<uint32_t> uses = uses_of_meshes(scene);
  std::map<uint32_t, TreeSource> world_of_mask;
  for (uint32_t i = 0; i < scene.instances.size; i++) {
    const Instance& instance = scene.instances[i];
    if (is_visible(scene, instance) && is_in_world(instance, uses))
      world_of_mask[instance.mask].instances.push_back(i);
  }
  for (auto& [mask, source] : world_of_mask) {
    source.mesh = TreeSource::IN_WORLD;
    plan.uses.push_back({static_cast<uint32_t>(plan.sources.size()), NO_INSTANCE, mask});
    plan.sources.push_back(std::move(source));
  }
  std::map<uint32_t, uint32_t> tree_of_mesh;
  for (uint32_t i = 0; i < scene.instances.size; i++) {
    const Instance& instance = scene.instances[i];
    if (!is_visible(scene, instance) || is_in_world(instance, uses)) continue;
    const auto [entry, is_new] = tree_of_mesh.try_emplace(
        instance.mesh, static_cast<uint32_t>(plan.sources.size()));
    if (is_new) plan.sources.push_back({instance.mesh, {}});
    plan.uses.push_back({entry->second, i, instance.mask});
  }
  return plan;
}

uint64_t triangle_count(const SceneView& scene, const TreePlan& plan) {
  uint64_t triangles = 0;
  for (const TreeSource& source : plan.sources) {
    if (!source.is_in_world()) triangles += scene.meshes[source.mesh].triangle_count;
    for (const uint32_t instance : source.instances)
      triangles += scene.meshes[scene.instances[instance].mesh].triangle_count;
  }
  return triangles;
}

TreeReferences references_of(const SceneView& scene, const TreePlan& plan, unsigned threads,
                             Monitor& monitor) {
  const PieceList list = pieces_of(scene, plan);
  TreeReferences result;
  result.all.resize(list.references());
  std::vector<ReferenceSet> bounds(list.pieces().size());
  parallel_for(static_cast<uint32_t>(bounds.size()), 1, threads, [&](uint32_t i) {
    const Piece& piece = list.pieces()[i];
    const TriangleReader reader(scene, plan.sources[piece.tree], piece.instance);
    for (uint32_t k = 0; k < piece.count; k++) {
      result.all[piece.reference + k] = Reference::of(reader.read(piece.first + k).box(),
                                                      piece.instance, piece.first + k);
    }
    bounds[i] = set_of(result.all.data(), piece.reference, piece.count);
    if (!is_within_bounds(bounds[i].box))
      throw std::invalid_argument("instance " + std::to_string(piece.instance) +
                                  " reaches beyond the largest coordinate in world space");
    monitor.advance(piece.count);
  });
  result.sets.resize(plan.sources.size());
  for (size_t i = 0; i < bounds.size(); i++) {
    ReferenceSet& set = result.sets[list.pieces()[i].tree];
    if (set.count == 0) set.first = bounds[i].first;
    set.count += bounds[i].count;
    set.box.include(bounds[i].box);
    set.centres.include(bounds[i].centres);
  }
  return result;
}
