// The point where a path meets the scene.
#pragma once
#include "bvh/ray.cuh"
#include "geometry.cuh"
#include "shaders.cuh"

struct Surface {
  Float3 position, error;  // error: how far the position may be off, per axis
  Float3 normal;  // of the triangle, unit length, on the viewer's side
  Frame frame;    // around the interpolated normal, on the viewer's side
  Float2 uv;
  bool front;  // the viewer is on the triangle's front
  Float3 emission;
  ShaderCall shader;
};

// The interpolated normal, bent so far that the mirror direction stays above the triangle, as the
// viewer does: reflections then neither leak through nor turn black at silhouettes. After Keller et
// al. 2017, "The Iray Light Transport Simulation and Rendering System".
DEVICE Float3 consistent_normal(Float3 shading, Float3 normal, Float3 outgoing) {
  const Float3 reflected = shading * (2.0f * dot(shading, outgoing)) - outgoing;
  const float height = dot(normal, reflected);
  const float least = minimum(0.9f * dot(normal, outgoing), 0.01f);
  if (height >= least) return shading;
  return normalize(outgoing + normalize(reflected + normal * (least - height)));
}

DEVICE Float3 shading_normal(const RenderJob& job, const TriangleRef& at, const Hit& hit,
                             Float3 normal, Float3 outgoing) {
  if (!(at.mesh.flags & MESH_HAS_NORMALS)) return normal;
  const Float3 smooth = transform_normal(at.instance.object_from_world,
                                         interpolate(at_corners(at, job.normals), hit.u, hit.v));
  const float size = length(smooth), side = dot(smooth, normal) < 0.0f ? -1.0f : 1.0f;
  if (size < 1e-12f) return normal;
  return consistent_normal(smooth * (side / size), normal, outgoing);
}

DEVICE Surface surface_at(const RenderJob& job, const Ray& ray, const Hit& hit) {
  const TriangleRef at = find_triangle(job, hit.instance, hit.triangle);
  const TrianglePoint point = point_on(job, at, hit.u, hit.v);
  const Material& material = material_of(job, at);
  Surface s;
  s.position = point.position;
  s.error = point.error;
  s.front = dot(point.normal, ray.direction) < 0.0f;
  s.normal = s.front ? point.normal : -point.normal;
  s.frame = frame_around(shading_normal(job, at, hit, s.normal, -ray.direction));
  s.uv = at.mesh.flags & MESH_HAS_UVS ? interpolate(at_corners(at, job.uvs), hit.u, hit.v)
                                      : Float2{0.0f, 0.0f};
  s.emission = material.emission;
  s.shader = {material.shader, job.parameters + material.parameters};
  return s;
}

// Whether shading normal and triangle agree about the side that a direction is on; where they do
// not, light would leak through.
DEVICE bool same_side(const Surface& s, Float3 direction, Float3 local) {
  return dot(s.normal, direction) * local.z > 0.0f;
}
