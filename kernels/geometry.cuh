// Triangles of instances, and points on them in the world.
#pragma once
#include "bvh/ray_offset.cuh"
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

struct TrianglePoint {
  Float3 position;
  Float3 normal;  // unit length, on the front side
  Float3 error;   // how far the position may be off, per axis
};

// The position comes from the corners' weights: a distance along a ray is less exact. The normal
// comes from the object's corners: a mirroring transform turns the winding but not the front.
DEVICE TrianglePoint point_on(const RenderJob& job, const TriangleRef& t, float u, float v) {
  const AtCorners<Float3> object = at_corners(t, job.positions);
  const Transform& world_from_object = t.instance.world_from_object;
  const Transform& object_from_world = t.instance.object_from_world;
  const Float3 position = transform_point(world_from_object, interpolate(object, u, v));
  const Float3 normal = cross(object.b - object.a, object.c - object.a);
  const Float3 size = largest(absolute(object.a), largest(absolute(object.b), absolute(object.c)));
  const Float3 error = hit_error(size, world_from_object, object_from_world, position);
  // A triangle in a plane like y = 0 has no error across it, yet rays from within touch it.
  return {position, normalize(transform_normal(object_from_world, normal)),
          error + splat(0.001f * max_component(error))};
}

DEVICE const Material& material_of(const RenderJob& job, const TriangleRef& t) {
  return job.materials[job.material_slots[t.instance.first_material + t.triangle.material]];
}
