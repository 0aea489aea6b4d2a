#include "surface_origins.h"

#include <stdexcept>

#include "../../bvh/ray_offset.cuh"

SurfaceOrigin surface_origin(const SceneView& scene, const Ray& ray, const Hit& hit) {
  if (hit.instance >= scene.instances.size ||
      hit.triangle >= scene.meshes[scene.instances[hit.instance].mesh].triangle_count)
    throw std::invalid_argument("a hit names no triangle of the scene");
  const Instance& instance = scene.instances[hit.instance];
  const Mesh& mesh = scene.meshes[instance.mesh];
  const Triangle& triangle = scene.triangles[mesh.first_triangle + hit.triangle];
  const Float3* own = scene.positions.data + mesh.first_vertex;
  const Float3 a = own[triangle.vertex[0]], b = own[triangle.vertex[1]], c = own[triangle.vertex[2]];
  const Float3 point = transform_point(instance.world_from_object,
                                       a * (1.0f - hit.u - hit.v) + b * hit.u + c * hit.v);
  const Float3 n = transform_normal(instance.object_from_world, cross(b - a, c - a));
  if (!(length(n) > 0.0f)) return {point, {0.0f, 0.0f, 0.0f}};
  const Float3 normal = normalize(dot(n, ray.direction) > 0.0f ? -n : n);
  const Float3 corner_size = largest(absolute(a), largest(absolute(b), absolute(c)));
  const Float3 error =
      hit_error(corner_size, instance.world_from_object, instance.object_from_world, point);
  return {offset_origin(point, normal, error), normal};
}
