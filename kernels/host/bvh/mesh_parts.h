// A mesh as the boxes of its parts. Of a turned instance they make a far smaller box in the world
// than the mesh's own box does.
#pragma once
#include <vector>

#include "box.h"
#include "monitor.h"
#include "scene_view.h"

class MeshParts {
 public:
  // whole: the mesh's box. What the parts are depends on the mesh alone, not on any tree: so do
  // then the hits of its instances.
  MeshParts(const SceneView& scene, uint32_t mesh, const Box& whole, unsigned threads,
            Monitor& monitor);

  // The box of the mesh where the transform puts it, by interval arithmetic: never too small.
  Box world_box(const Transform& world_from_object) const;

 private:
  const Box whole_;
  std::vector<Box> parts_;
};
