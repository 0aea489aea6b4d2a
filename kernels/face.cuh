// Triangles as shading and the sampling of lights read them: all that a flat one needs in one cache
// line, worked out once on the host (host/build_faces.cpp).
#pragma once
#include "bvh/ray.cuh"
#include "bvh/ray_offset.cuh"
#include "scene_types.cuh"

// A mesh that is used once has its faces in world space, as the accelerator has its triangles;
// those of a repeated mesh are in object space and shared.
struct alignas(64) Face {
  Float3 corner;            // the first
  Float3 edge[2];           // from there to the second and the third
  Float3 normal;            // unit length, on the front side; zero without area
  float error;              // across the face, see bvh/ray_offset.cuh
  uint32_t material;        // slot of the instance's material list
  uint32_t mesh_flags;
};

// Where an instance's faces begin, and what its transform adds to their errors. A transform that
// changes has its errors worked out where it is met: error is then how far the mesh reaches.
struct InstanceFaces {
  uint32_t first_face;
  uint32_t first_material;
  uint32_t is_in_world;
  float scale;   // the most that the transform stretches a length
  Float3 error;  // per axis, of all its points
};

struct FacePoint {
  Float3 position;
  Float3 normal;  // unit length, on the front side
  float error;    // how far the position may be off across the face
};

// u and v are the weights of the second and third corner, as in Hit. The position comes from them:
// a distance along a ray is less exact.
DEVICE FacePoint point_on(const Face& face, float u, float v) {
  return {face.corner + face.edge[0] * u + face.edge[1] * v, face.normal, face.error};
}

DEVICE FacePoint to_world(const FacePoint& point, const InstanceFaces& faces,
                          const Instance& instance) {
  const Float3 normal = normalize(transform_normal(instance.object_from_world, point.normal));
  return {transform_point(instance.world_from_object, point.position), normal,
          point.error * faces.scale + dot(absolute(normal), faces.error)};
}

// The point of a hit, in the world.
DEVICE FacePoint placed_point(const Face& face, const InstanceFaces& faces,
                              const Instance& instance, const Hit& hit) {
  const FacePoint point = point_on(face, hit.u, hit.v);
  return faces.is_in_world ? point : to_world(point, faces, instance);
}
