// Where a ray that leaves a surface begins, so that it neither meets that surface again nor jumps
// over a neighbour: a bound on rounding errors, not a fixed epsilon. In the manner of Pharr, Jakob,
// Humphreys, "Physically Based Rendering", 6.8, but across the surface only: an error along it
// moves the point to another one of the same triangle. The host works the bounds out, once.
//
// In the space of the triangle's corners, which traversal reads without a rounding, with u = 2^-24:
//   the point corner + edge u + edge v: 2 u of its size for the sums, 1 u for adding the offset,
//     and 4 u of the longest edge for edges and products;
//   the next ray's test is relative to its origin, so that its errors go with the edges: 2 u for
//     corner - origin, 5 u for shearing, 3 u for the edge functions, 8 u for the depth.
// Rounded up, and enough edges that the bound is no zero in planes through the origin.
#pragma once
#include "../vec.cuh"

constexpr float ROUNDING = 5.9604645e-8f;

// How far across the triangle a point computed on it and the surface that the next ray meets may
// lie apart. size: per axis the largest magnitude of the corners.
DEVICE float triangle_error(Float3 normal, Float3 size, float longest_edge) {
  return ROUNDING * (4.0f * dot(absolute(normal), size) + 32.0f * longest_edge);
}

// |M| v + |translation|: what the terms of a transformed point can add up to.
DEVICE Float3 transformed_size(const Transform& m, Float3 size) {
  const auto row = [&](int i) {
    const float* r = m.rows[i];
    return fabsf(r[0]) * size.x + fabsf(r[1]) * size.y + fabsf(r[2]) * size.z + fabsf(r[3]);
  };
  return {row(0), row(1), row(2)};
}

// What the way from object space and back adds for a mesh whose rays are brought to object space,
// per axis of the world: 4 u of the terms for the point; 4 u for the ray's origin and 4 u for its
// direction over as far as the mesh reaches; 2 u for an inverse that is itself rounded.
DEVICE Float3 transform_error(const Transform& world_from_object,
                              const Transform& object_from_world, Float3 mesh_size) {
  const Float3 forth = transformed_size(world_from_object, mesh_size);
  const Float3 back = transformed_size(object_from_world, forth);
  return (forth * 8.0f + transformed_size(world_from_object, back) * 16.0f) * ROUNDING;
}

// The origin of a ray that leaves point on the side to which normal, of unit length, points.
DEVICE Float3 offset_origin(Float3 point, Float3 normal, float error) {
  return point + normal * error;
}
