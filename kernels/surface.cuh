// The point where a path meets the scene.
#pragma once
#include "moving_face.cuh"
#include "shaders.cuh"

struct Surface {
  Float3 position;
  Float3 normal;  // of the triangle, unit length, on the viewer's side
  float error;    // how far the position may be off along the normal
  Frame frame;    // around the interpolated normal, on the viewer's side
  Float2 uv;
  bool front;  // the viewer is on the triangle's front
  Float3 emission;
  float emission_share;  // of the light table's density that holds here, see Light
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

template <class T>
struct AtCorners {
  T a, b, c;
};

// What the vertices of the triangle that was hit have in an array over all vertices.
template <class T>
DEVICE AtCorners<T> at_corners(const RenderJob& job, const Hit& hit, const T* of_vertices) {
  const Mesh& mesh = job.meshes[job.instances[hit.instance].mesh];
  const Triangle& triangle = job.triangles[mesh.first_triangle + hit.triangle];
  const T* own = of_vertices + mesh.first_vertex;
  return {own[triangle.vertex[0]], own[triangle.vertex[1]], own[triangle.vertex[2]]};
}

DEVICE Float3 interpolate(const AtCorners<Float3>& of, const Hit& hit) {
  return of.a * (1.0f - hit.u - hit.v) + of.b * hit.u + of.c * hit.v;
}
DEVICE Float2 interpolate(const AtCorners<Float2>& of, const Hit& hit) {
  const float w = 1.0f - hit.u - hit.v;
  return {of.a.x * w + of.b.x * hit.u + of.c.x * hit.v,
          of.a.y * w + of.b.y * hit.u + of.c.y * hit.v};
}

template <class Job>
DEVICE Float3 normal_to_world(const Job& job, const Hit& hit, float time, Float3 normal) {
  const Instance& instance = job.instances[hit.instance];
  if constexpr (Job::varies) {
    if (moves(instance))
      return transform_normal(
          pose_at(job.accelerator.keys, instance.motion, time).object_from_world, normal);
  }
  return transform_normal(instance.object_from_world, normal);
}

template <class Job>
DEVICE Float3 shading_normal(const Job& job, const Hit& hit, float time, Float3 normal,
                             Float3 outgoing) {
  const Float3 smooth =
      normal_to_world(job, hit, time, interpolate(at_corners(job, hit, job.normals), hit));
  const float size = length(smooth), side = dot(smooth, normal) < 0.0f ? -1.0f : 1.0f;
  if (size < 1e-12f) return normal;
  return consistent_normal(smooth * (side / size), normal, outgoing);
}

DEVICE const Face& face_of(const RenderJob& job, const Hit& hit) {
  return job.faces[job.instance_faces[hit.instance].first_face + hit.triangle];
}

DEVICE const Material& material_at(const RenderJob& job, const Hit& hit) {
  const uint32_t first = job.instance_faces[hit.instance].first_material;
  return job.materials[job.material_slots[first + face_of(job, hit).material]];
}

template <class Job>
DEVICE SurfacePoint hit_point(const Job& job, const InstanceFaces& faces, const Face& face,
                              const Hit& hit, float time) {
  const Instance& instance = job.instances[hit.instance];
  if constexpr (Job::varies) {
    if (moves(instance)) return moved_point(job, hit.instance, hit.triangle, {hit.u, hit.v}, time);
  }
  return {placed_point(face, faces, instance, hit), 1.0f};
}

// time: that of the path.
template <class Job>
DEVICE Surface surface_at(const Job& job, const Ray& ray, const Hit& hit, float time) {
  const InstanceFaces& faces = job.instance_faces[hit.instance];
  const Face& face = face_of(job, hit);
  const SurfacePoint met = hit_point(job, faces, face, hit, time);
  const FacePoint& point = met.point;
  const Material& material = material_at(job, hit);
  Surface s;
  s.position = point.position;
  s.error = point.error;
  s.front = dot(point.normal, ray.direction) < 0.0f;
  s.normal = s.front ? point.normal : -point.normal;
  s.frame = frame_around(face.mesh_flags & MESH_HAS_NORMALS
                             ? shading_normal(job, hit, time, s.normal, -ray.direction)
                             : s.normal);
  s.uv = face.mesh_flags & MESH_HAS_UVS ? interpolate(at_corners(job, hit, job.uvs), hit)
                                        : Float2{0.0f, 0.0f};
  s.emission = material.emission;
  s.emission_share = met.emission_share;
  s.shader = {material.shader, job.parameters + material.parameters};
  return s;
}

// Whether shading normal and triangle agree about the side that a direction is on; where they do
// not, light would leak through.
DEVICE bool same_side(const Surface& s, Float3 direction, Float3 local) {
  return dot(s.normal, direction) * local.z > 0.0f;
}
