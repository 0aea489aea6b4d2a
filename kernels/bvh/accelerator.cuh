// The acceleration structure as the kernels read it. Python fills it from what build_accelerator
// returns: an array for each pointer, a number for each number.
#pragma once
#include "../vec.cuh"
#include "child_word.cuh"
#include "moving_transform.cuh"

enum PlacementFlags : uint32_t { PLACEMENT_IN_WORLD = 1 };

// A bottom-level tree in the world: one instance of a mesh, or all instances with the same mask
// that stand still and whose meshes are used once, brought to world space by the builder
// (PLACEMENT_IN_WORLD), so that scenes without repeated or moving meshes have a single level.
struct Placement {
  Transform object_from_world;  // where the shutter opens
  Float3 low, high;  // box in world space over the whole motion, rounded outwards
  uint32_t root;     // child word of the tree
  uint32_t first_instance;  // added to the instance of a triangle
  uint32_t mask;
  uint32_t flags;
  Motion motion;
};

// All trees share one array of nodes and one of triangle blocks; their element types are the
// layout's. Without placements every ray misses.
struct Accelerator {
  const void* nodes;
  const void* blocks;
  const Placement* placements;
  uint32_t root;  // child word of the top level; its leaf entries are placements
  uint32_t placement_count;
  const Transform* keys;  // of all motions; null where nothing moves
};
