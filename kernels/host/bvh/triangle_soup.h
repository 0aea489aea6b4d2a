// The triangles of one placement, brought to the space that its rays are in.
#pragma once
#include <map>
#include <vector>

#include "binary_tree.h"
#include "../../bvh/triangle_block.cuh"
#include "scene_view.h"

struct SoupTriangle {
  Float3 corner[3];
  uint32_t instance;  // counted from the placement's first_instance
  uint32_t triangle;  // counted within the mesh; with MAY_BE_ABSENT where it may be
};

// A point of object space in the world, rounded once.
Float3 world_point(const Transform& world_from_object, Float3 point);

using TriangleSoup = std::vector<SoupTriangle>;

// The triangles of a mesh in object space.
TriangleSoup mesh_soup(const SceneView& scene, uint32_t mesh);

// Appends the mesh of an instance in world space, rounded once.
void append_world_triangles(const SceneView& scene, uint32_t instance, TriangleSoup& soup);

std::vector<Reference> references_to(const TriangleSoup& soup);
