// Where rays that leave the surfaces found by other rays begin: what a path tracer does at a hit,
// by itself, so that tests can ask whether such rays find the same surface again.
#pragma once
#include "../../bvh/ray.cuh"
#include "../build_faces.h"

struct SurfaceOrigin {
  Float3 point;   // offset_origin (bvh/ray_offset.cuh) of the hit point
  Float3 normal;  // unit length, on the side that the ray came from; zero without area
};

// The hit must be one of the scene's; throws std::invalid_argument if not.
SurfaceOrigin surface_origin(const SceneView& scene, const FaceArrays& built, const Ray& ray,
                             const Hit& hit, float time);
