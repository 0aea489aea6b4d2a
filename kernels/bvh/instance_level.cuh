// The two levels of traversal: placements in the world, triangles in a placement.
#pragma once
#include "accelerator.cuh"
#include "layout.cuh"

// The affine map with every product and sum rounded: object rays have the same bits in every build.
DEVICE Float3 rounded_transform(const Transform& m, Float3 v, bool is_point) {
  const auto row = [&](int i) {
    const float* r = m.rows[i];
    const float linear = sum(sum(product(r[0], v.x), product(r[1], v.y)), product(r[2], v.z));
    return is_point ? sum(linear, r[3]) : linear;
  };
  return {row(0), row(1), row(2)};
}

// The direction keeps its length in object space: t stays the world's.
DEVICE Ray object_ray(const Transform& object_from_world, const Ray& ray) {
  return {rounded_transform(object_from_world, ray.origin, true),
          rounded_transform(object_from_world, ray.direction, false), ray.t_min, ray.t_max};
}

// Leaf entries of the bottom level: triangle blocks.
template <class Layout, class Query>
struct TriangleVisitor {
  const typename Layout::Block* blocks;
  const TriangleRay& ray;
  float entry_min;
  uint32_t first_instance;
  Query& query;

  DEVICE float t_max() const { return query.t_max; }

  DEVICE bool visit_leaf(uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++) {
      const auto& block = blocks[i];
      const auto hits = hit_triangles(block, ray, entry_min, query.t_max);
      if (hits.mask && query.take(hits, block, first_instance)) return true;
    }
    return false;
  }
};

// Leaf entries of the top level: placements.
template <class Layout, class Query>
struct PlacementVisitor {
  const Accelerator& accelerator;
  const Ray& ray;
  const BoxRay& box;
  uint32_t mask;
  Query& query;

  DEVICE float t_max() const { return query.t_max; }

  DEVICE bool visit_leaf(uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++) {
      const Placement& placement = accelerator.placements[i];
      if ((placement.mask & mask) && enter(placement)) return true;
    }
    return false;
  }

  DEVICE bool enter(const Placement& placement) {
    Ray local = ray;
    BoxRay local_box = box;
    float entry = -FARTHEST;
    if (!(placement.flags & PLACEMENT_IN_WORLD)) {
      if (!crosses(placement, entry)) return false;
      local = object_ray(placement.object_from_world, ray);
      if (!is_traceable(local)) return false;
      local_box = box_ray(local);
    }
    const TriangleRay triangles = triangle_ray(local, local_box);
    TriangleVisitor<Layout, Query> visitor = {
        static_cast<const typename Layout::Block*>(accelerator.blocks), triangles, entry,
        placement.first_instance, query};
    return Layout::walk(accelerator.nodes, placement.root, local_box, visitor);
  }

  // As for a triangle: a placement is hit only where its box is, never before its entry, so that
  // the roundings of the object ray cannot make a hit depend on the nodes above.
  DEVICE bool crosses(const Placement& placement, float& entry) const {
    const auto relative = [&](float plane, float origin) {
      return all_lanes<1>(difference(plane, origin));
    };
    const Float3 low = placement.low, high = placement.high, o = ray.origin;
    const auto axis = [&](float l, float h, float origin, float inverse) {
      const Lanes<1> a = relative(l, origin), b = relative(h, origin);
      return slab<1>(a, b, b, inverse);
    };
    const Interval<1> x = axis(low.x, high.x, o.x, box.inverse.x),
                      y = axis(low.y, high.y, o.y, box.inverse.y),
                      z = axis(low.z, high.z, o.z, box.inverse.z);
    const float exit = minimum(x.exit, minimum(y.exit, z.exit))[0];
    entry = maximum(x.entry, maximum(y.entry, z.entry))[0];
    return maximum(entry, box.t_min) <= product(exit, TRIANGLE_SLACK) && entry <= query.t_max;
  }
};

// Shows the query every triangle that the ray may hit before query.t_max. True where the query
// ended the search.
template <class Layout, class Query>
DEVICE bool trace(const Accelerator& accelerator, const Ray& ray, uint32_t mask, Query& query) {
  const BoxRay box = box_ray(ray);
  PlacementVisitor<Layout, Query> visitor = {accelerator, ray, box, mask, query};
  return Layout::walk(accelerator.nodes, accelerator.root, box, visitor);
}
