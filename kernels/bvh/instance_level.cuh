// From the world into a placement, and the triangles there: what both ways to walk the two levels
// have in common.
#pragma once
#include "accelerator.cuh"
#include "conditions.cuh"
#include "triangle_block.cuh"

// The affine map with every product and sum rounded: object rays have the same bits in every build.
DEVICE Float3 rounded_transform(const Transform& m, Float3 v, bool is_point) {
  const auto row = [&](int i) {
    const float* r = m.rows[i];
    const float linear = rounded_dot({r[0], r[1], r[2]}, v);
    return is_point ? sum(linear, r[3]) : linear;
  };
  return {row(0), row(1), row(2)};
}

// The direction keeps its length in object space: t stays the world's.
DEVICE Ray object_ray(const Transform& object_from_world, const Ray& ray) {
  return {rounded_transform(object_from_world, ray.origin, true),
          rounded_transform(object_from_world, ray.direction, false), ray.t_min, ray.t_max};
}

// As for a triangle: a placement is hit only where its box is, never before its entry, so that
// the roundings of the object ray cannot make a hit depend on the nodes above.
DEVICE bool crosses(const Placement& placement, const Ray& ray, const BoxRay& box, float t_max,
                    float& entry) {
  const Lanes<4> origin = lanes_of(ray.origin);
  const Lanes<4> a = (lanes_of(placement.low) - origin) * box.inverse,
                 b = (lanes_of(placement.high) - origin) * box.inverse;
  const Lanes<4> near = minimum(a, b), far = maximum(a, b);
  const float exit = minimum(far[0], minimum(far[1], far[2]));
  entry = maximum(near[0], maximum(near[1], near[2]));
  return maximum(entry, box.t_min) <= product(exit, TRIANGLE_SLACK) && entry <= t_max;
}

// A ray in the space of a placement. No triangle there is hit before entry.
struct PlacedRay {
  BoxRay box;
  TriangleRay triangles;
  float entry;
  uint32_t root, first_instance;
};

template <class Conditions>
DEVICE Ray ray_in(const Accelerator& accelerator, const Placement& placement, const Ray& ray,
                  const Conditions& conditions) {
  if constexpr (Conditions::varies) {
    if (placement.motion.key_count != 0)
      return object_ray(
          inverse_of(transform_at(accelerator.keys, placement.motion, conditions.time)), ray);
  }
  return object_ray(placement.object_from_world, ray);
}

// box: the ray's in the world. False where the ray misses the placement, and placed is not set.
template <class Query>
DEVICE bool place_ray(const Accelerator& accelerator, const Placement& placement, const Ray& ray,
                      const BoxRay& box, const Query& query, PlacedRay& placed) {
  placed.entry = -FARTHEST;
  placed.root = placement.root;
  placed.first_instance = placement.first_instance;
  Ray local = ray;
  placed.box = box;
  if (!(placement.flags & PLACEMENT_IN_WORLD)) {
    if (!crosses(placement, ray, box, query.t_max, placed.entry)) return false;
    local = ray_in(accelerator, placement, ray, query.conditions);
    if (!is_traceable(local)) return false;
    placed.box = box_ray(local);
  }
  placed.triangles = triangle_ray(local, placed.box);
  return true;
}

// Shows the query the triangles of a leaf that the ray hits. True where that ends the search.
template <class Block, class Query>
DEVICE bool visit_triangles(const void* blocks, uint32_t first, uint32_t count,
                            const PlacedRay& ray, Query& query) {
  for (uint32_t i = first; i < first + count; i++) {
    const Block& block = static_cast<const Block*>(blocks)[i];
    const auto hits = hit_triangles(block, ray.triangles, ray.entry, query.t_max);
    if (hits.mask && query.take(hits, block, ray.first_instance)) return true;
  }
  return false;
}
