#include "placements.h"

#include "../../bvh/ray.cuh"

namespace {

Float3 float3_of(Lanes<4> v) { return {v[0], v[1], v[2]}; }

// The box of the whole motion: that of all keys, as moving_transform.cuh says. The padding of each
// covers what interpolation rounds.
Box swept_box(const SceneView& scene, const Instance& instance, const MeshParts& parts) {
  Box box = parts.world_box(instance.world_from_object);
  for (uint32_t i = 0; i < instance.motion.key_count; i++)
    box.include(parts.world_box(scene.keys[size_t{instance.motion.first_key} + i]));
  return box;
}

}  // namespace

Placement PlacementMaker::make(const TreeUse& use, uint32_t root, Box& box) {
  Placement placement = {{}, {}, {}, root, 0, use.mask, PLACEMENT_IN_WORLD, {}};
  if (use.instance != NO_INSTANCE) {
    const Instance& instance = scene_.instances[use.instance];
    placement.object_from_world = instance.object_from_world;
    placement.first_instance = use.instance;
    placement.flags = 0;
    placement.motion = instance.motion;
    const auto parts =
        parts_.try_emplace(instance.mesh, scene_, instance.mesh, box, threads_, monitor_).first;
    box = swept_box(scene_, instance, parts->second);
  }
  placement.low = float3_of(all_lanes<4>(0.0f) - box.negated_lows());
  placement.high = float3_of(box.highs());
  return placement;
}
