// What the vertices of a triangle that was hit have in the scene's arrays.
#pragma once
#include "render_job.cuh"

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

DEVICE const Face& face_of(const RenderJob& job, const Hit& hit) {
  return job.faces[job.instance_faces[hit.instance].first_face + hit.triangle];
}

DEVICE const Material& material_at(const RenderJob& job, const Hit& hit) {
  const uint32_t first = job.instance_faces[hit.instance].first_material;
  return job.materials[job.material_slots[first + face_of(job, hit).material]];
}
