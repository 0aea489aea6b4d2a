// Two levels as a walk within a walk, for processors whose registers hold one ray's constants: a
// scene of a single level, which most are, never enters the outer one.
#pragma once
#include "instance_level.cuh"
#include "layout.cuh"

template <class Layout, class Query>
struct TriangleVisitor {
  const Accelerator& accelerator;
  const PlacedRay& ray;
  Query& query;

  static constexpr bool goes_nearest_first = true;

  DEVICE float t_max() const { return query.t_max; }

  DEVICE void prefetch_leaf(uint32_t first) const {
    prefetch(static_cast<const typename Layout::Block*>(accelerator.blocks)[first]);
  }
  DEVICE bool visit_leaf(uint32_t first, uint32_t count) {
    return visit_triangles<typename Layout::Block>(accelerator.blocks, first, count, ray, query);
  }
};

template <class Layout, class Query>
DEVICE bool trace_placement(const Accelerator& accelerator, const Placement& placement,
                            const Ray& ray, const BoxRay& box, uint32_t mask, Query& query) {
  PlacedRay placed;
  if (!(placement.mask & mask) || !place_ray(accelerator, placement, ray, box, query, placed))
    return false;
  TriangleVisitor<Layout, Query> visitor = {accelerator, placed, query};
  return Layout::walk(accelerator.nodes, placed.root, placed.box, visitor);
}

template <class Layout, class Query>
struct PlacementVisitor {
  const Accelerator& accelerator;
  const Ray& ray;
  const BoxRay& box;
  uint32_t mask;
  Query& query;

  // Boxes of placements overlap and are far larger than what is in them: for any hit their order
  // says little.
  static constexpr bool goes_nearest_first = !Query::ends_at_first_hit;

  DEVICE float t_max() const { return query.t_max; }

  DEVICE void prefetch_leaf(uint32_t first) const { prefetch(accelerator.placements[first]); }
  DEVICE bool visit_leaf(uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++)
      if (trace_placement<Layout>(accelerator, accelerator.placements[i], ray, box, mask, query))
        return true;
    return false;
  }
};

// A function of its own, so that its state takes no registers from scenes of a single level.
template <class Layout, class Query>
DEVICE_CALL bool trace_top_level(const Accelerator& accelerator, const Ray& ray, const BoxRay& box,
                                 uint32_t mask, Query& query) {
  PlacementVisitor<Layout, Query> visitor = {accelerator, ray, box, mask, query};
  return Layout::walk(accelerator.nodes, accelerator.root, box, visitor);
}

template <class Layout, class Query>
DEVICE bool trace_nested(const Accelerator& accelerator, const Ray& ray, uint32_t mask,
                         Query& query) {
  const BoxRay box = box_ray(ray);
  const Placement& first = accelerator.placements[0];
  return accelerator.placement_count == 1 && (first.flags & PLACEMENT_IN_WORLD)
             ? trace_placement<Layout>(accelerator, first, ray, box, mask, query)
             : trace_top_level<Layout>(accelerator, ray, box, mask, query);
}
