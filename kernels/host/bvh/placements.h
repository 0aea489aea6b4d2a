// A scene's placements: where the trees of the bottom level stand in the world.
#pragma once
#include "../../bvh/accelerator.cuh"
#include "box.h"
#include "scene_view.h"
#include "tree_sources.h"

// What stands for a use of a tree with that root and box. box becomes that of the placement.
Placement placement_of(const SceneView& scene, const TreeUse& use, uint32_t root, Box& box);
