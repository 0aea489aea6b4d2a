#include "placements.h"

#include <algorithm>
#include <cmath>

#include "../../bvh/ray.cuh"

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

Float3 float3_of(Lanes<4> v) { return {v[0], v[1], v[2]}; }

// The box of the whole motion: that of all keys, as moving_transform.cuh says. The padding of each
// covers what interpolation rounds.
Box swept_box(const SceneView& scene, const Instance& instance, const Box& object) {
  Box box = world_box(instance.world_from_object, object);
  for (uint32_t i = 0; i < instance.motion.key_count; i++)
    box.include(world_box(scene.keys[size_t{instance.motion.first_key} + i], object));
  return box;
}

}  // namespace

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
