// A scene's placements: where the trees of the bottom level stand in the world.
#pragma once
#include <map>

#include "../../bvh/accelerator.cuh"
#include "mesh_parts.h"
#include "tree_sources.h"

class PlacementMaker {
 public:
  PlacementMaker(const SceneView& scene, unsigned threads, Monitor& monitor)
      : scene_(scene), threads_(threads), monitor_(monitor) {}

  // What stands for a use of a tree with that root and box. box becomes that of the placement.
  Placement make(const TreeUse& use, uint32_t root, Box& box);

 private:
  const SceneView& scene_;
  const unsigned threads_;
  Monitor& monitor_;
  std::map<uint32_t, MeshParts> parts_;  // of each mesh that was placed
};
