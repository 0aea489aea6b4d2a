// Triangles of instances, in object space.
#pragma once
#include "render_job.cuh"

struct TriangleRef {
  const Instance& instance;
  const Mesh& mesh;
  const Triangle& triangle;
};

DEVICE TriangleRef find_triangle(const RenderJob& job, uint32_t instance, uint32_t triangle) {
  const Instance& placed = job.instances[instance];
  const Mesh& mesh = job.meshes[placed.mesh];
  return {placed, mesh, job.triangles[mesh.first_triangle + triangle]};
}

template <class T>
struct AtCorners {
  T a, b, c;
};

// What the triangle's vertices have in an array over all vertices.
template <class T>
DEVICE AtCorners<T> at_corners(const TriangleRef& t, const T* of_vertices) {
  const T* own = of_vertices + t.mesh.first_vertex;
  return {own[t.triangle.vertex[0]], own[t.triangle.vertex[1]], own[t.triangle.vertex[2]]};
}

// u and v are the weights of the second and third corner, as in Hit.
DEVICE Float3 interpolate(const AtCorners<Float3>& of, float u, float v) {
  return of.a * (1.0f - u - v) + of.b * u + of.c * v;
}
DEVICE Float2 interpolate(const AtCorners<Float2>& of, float u, float v) {
  const float w = 1.0f - u - v;
  return {of.a.x * w + of.b.x * u + of.c.x * v, of.a.y * w + of.b.y * u + of.c.y * v};
}

// Unit normal of the front side in the world. From the object's corners, since a mirroring
// transform turns the winding but not the front.
DEVICE Float3 front_normal(const TriangleRef& t, const AtCorners<Float3>& of_object) {
  const Float3 n = cross(of_object.b - of_object.a, of_object.c - of_object.a);
  return normalize(transform_normal(t.instance.object_from_world, n));
}

DEVICE const Material& material_of(const RenderJob& job, const TriangleRef& t) {
  return job.materials[job.material_slots[t.instance.first_material + t.triangle.material]];
}
