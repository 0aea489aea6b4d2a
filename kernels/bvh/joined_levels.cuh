// Two levels in one loop and on one stack, for GPU threads: the code is half as long, one ray's
// constants are held at a time, and threads in different placements keep in step.
#pragma once
#include "instance_level.cuh"
#include "layout.cuh"

template <class Layout, class Query>
struct JoinedVisitor {
  const Accelerator& accelerator;
  const Ray& ray;
  uint32_t mask;
  Query& query;
  PlacedRay placed;  // only the box at the top level
  bool is_inside;

  DEVICE float t_max() const { return query.t_max; }
  DEVICE const BoxRay& box() const { return placed.box; }
  DEVICE uint32_t root() const { return placed.root; }

  // The builder gives a leaf of the top level one placement.
  DEVICE Visit visit_leaf(uint32_t first, uint32_t count) {
    if (is_inside)
      return visit_triangles<typename Layout::Block>(accelerator.blocks, first, count, placed, query)
                 ? Visit::STOP
                 : Visit::CONTINUE;
    const Placement& placement = accelerator.placements[first];
    const BoxRay world = placed.box;
    if (!(placement.mask & mask) || !place_ray(accelerator, placement, ray, world, query, placed)) {
      placed.box = world;
      return Visit::CONTINUE;
    }
    is_inside = true;
    return Visit::DESCEND;
  }

  DEVICE void ascend() {
    placed.box = box_ray(ray);
    is_inside = false;
  }
};

template <class Layout, class Query>
DEVICE bool trace_joined(const Accelerator& accelerator, const Ray& ray, uint32_t mask,
                         Query& query) {
  JoinedVisitor<Layout, Query> visitor = {accelerator, ray, mask, query, {}, false};
  visitor.placed.box = box_ray(ray);
  return Layout::walk(accelerator.nodes, accelerator.root, visitor);
}
