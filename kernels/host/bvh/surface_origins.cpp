#include "surface_origins.h"

#include <stdexcept>

SurfaceOrigin surface_origin(const SceneView& scene, const FaceArrays& built, const Ray& ray,
                             const Hit& hit) {
  if (hit.instance >= scene.instances.size ||
      hit.triangle >= scene.meshes[scene.instances[hit.instance].mesh].triangle_count)
    throw std::invalid_argument("a hit names no triangle of the scene");
  const InstanceFaces& faces = built.instance_faces[hit.instance];
  const Face& face = built.faces[faces.first_face + hit.triangle];
  const FacePoint point = placed_point(face, faces, scene.instances[hit.instance], hit);
  if (!(length(point.normal) > 0.0f)) return {point.position, {0.0f, 0.0f, 0.0f}};
  const Float3 normal = dot(point.normal, ray.direction) > 0.0f ? -point.normal : point.normal;
  return {offset_origin(point.position, normal, point.error), normal};
}
