#include "surface_origins.h"

#include <stdexcept>

#include "../../moving_face.cuh"

namespace {

FacePoint point_of(const SceneView& scene, const FaceArrays& built, const Hit& hit, float time) {
  const InstanceFaces& faces = built.instance_faces[hit.instance];
  const Instance& instance = scene.instances[hit.instance];
  if (!moves(instance))
    return placed_point(built.faces[faces.first_face + hit.triangle], faces, instance, hit);
  RenderJob job = {};
  job.instances = scene.instances.data;
  job.instance_faces = built.instance_faces.data();
  job.faces = built.faces.data();
  job.accelerator.keys = scene.keys.data;
  return moved_point(job, hit.instance, hit.triangle, {hit.u, hit.v}, time).point;
}

}  // namespace

SurfaceOrigin surface_origin(const SceneView& scene, const FaceArrays& built, const Ray& ray,
                             const Hit& hit, float time) {
  if (hit.instance >= scene.instances.size ||
      hit.triangle >= scene.meshes[scene.instances[hit.instance].mesh].triangle_count)
    throw std::invalid_argument("a hit names no triangle of the scene");
  const FacePoint point = point_of(scene, built, hit, time);
  if (!(length(point.normal) > 0.0f)) return {point.position, {0.0f, 0.0f, 0.0f}};
  const Float3 normal = dot(point.normal, ray.direction) > 0.0f ? -point.normal : point.normal;
  return {offset_origin(point.position, normal, point.error), normal};
}
