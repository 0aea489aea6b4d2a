// From a scene to the arrays of Face and InstanceFaces (face.cuh) that shading reads.
#pragma once
#include "../face.cuh"
#include "bvh/aligned_vector.h"
#include "bvh/monitor.h"
#include "bvh/scene_view.h"

struct FaceArrays {
  AlignedVector<Face> faces;
  std::vector<InstanceFaces> instance_faces;  // one for each instance
  AlignedVector<Face> light_faces;  // one for each light, in world space; zero if it has no surface
};

// Throws std::invalid_argument where the scene cannot be used (check_scene), or a light names no
// triangle of it; and what the monitor's report throws.
FaceArrays build_faces(const SceneView& scene, const View<Light>& lights, unsigned threads,
                       Monitor& monitor);
