// What rays visit: the kernels' own traversal, whose tests of nodes, triangles and placements count
// themselves. Their names are replaced once they are defined and before traversal calls them.
#include <vector>

#include "bvh/node_compressed.cuh"
#include "bvh/node_float.cuh"
#include "bvh/triangle_block.cuh"

namespace {

// Visits of one kind of record, and which records of an array were visited at all.
struct Visits {
  const char* first = nullptr;
  size_t size = 1;
  uint64_t all = 0, distinct = 0;
  std::vector<bool> seen;

  void begin(const void* array, size_t record_size, size_t count) {
    *this = {static_cast<const char*>(array), record_size, 0, 0, std::vector<bool>(count)};
  }
  void note(const void* record) {
    const size_t index = static_cast<size_t>(static_cast<const char*>(record) - first) / size;
    all++;
    distinct += !seen[index];
    seen[index] = true;
  }
};

Visits nodes, blocks, placements;

template <class Node, class... Rest>
auto counted_hit_children(const Node& node, Rest&&... rest) {
  nodes.note(&node);
  return hit_children(node, rest...);
}
template <class Block, class... Rest>
auto counted_hit_triangles(const Block& block, Rest&&... rest) {
  blocks.note(&block);
  return hit_triangles(block, rest...);
}

}  // namespace

#define hit_triangles counted_hit_triangles
#include "bvh/instance_level.cuh"

namespace {
template <class... Rest>
bool counted_place_ray(const Accelerator& accelerator, const Placement& placement, Rest&&... rest) {
  placements.note(&placement);
  return place_ray(accelerator, placement, rest...);
}
}  // namespace

#define hit_children counted_hit_children
#define place_ray counted_place_ray
#include "bvh/traverse.cuh"

namespace {

template <class Layout>
void trace_all(const Accelerator& accelerator, const Ray* rays, size_t count, bool any,
               uint64_t node_count, uint64_t block_count) {
  nodes.begin(accelerator.nodes, sizeof(typename Layout::Node), node_count);
  blocks.begin(accelerator.blocks, sizeof(typename Layout::Block), block_count);
  placements.begin(accelerator.placements, sizeof(Placement), accelerator.placement_count);
  Hit hit;
  for (size_t i = 0; i < count; i++) {
    if (any) any_hit<Layout>(accelerator, rays[i], ~0u);
    else closest_hit<Layout>(accelerator, rays[i], ~0u, hit);
  }
}

}  // namespace

// counts: visits of nodes, blocks, placements, then how many different ones of each were visited.
extern "C" void count_visits(const Accelerator* accelerator, uint64_t node_count,
                             uint64_t block_count, const Ray* rays, uint64_t count, int is_compressed,
                             int any, uint64_t* counts) {
  if (is_compressed)
    trace_all<CompressedLayout>(*accelerator, rays, count, any != 0, node_count, block_count);
  else trace_all<FloatLayout>(*accelerator, rays, count, any != 0, node_count, block_count);
  const Visits* kinds[3] = {&nodes, &blocks, &placements};
  for (int i = 0; i < 3; i++) {
    counts[i] = kinds[i]->all;
    counts[3 + i] = kinds[i]->distinct;
  }
}
