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
#include "moving_transform.cuh"

constexpr float ROUNDING = 5.9604645e-8f;

// How far across the triangle a point computed on it and the surface that the next ray meets may
// lie apart. size: per axis the largest magnitude of the corners.
DEVICE float triangle_error(Float3 normal, Float3 size, float longest_edge) {
  return ROUNDING * (4.0f * dot(absolute(normal), size) + 32.0f * longest_edge);
}

// |M| v, and with |translation| what the terms of a transformed point can add up to.
DEVICE Float3 linear_size(const Transform& m, Float3 size) {
  const auto row = [&](int i) {
    const float* r = m.rows[i];
    return fabsf(r[0]) * size.x + fabsf(r[1]) * size.y + fabsf(r[2]) * size.z;
  };
  return {row(0), row(1), row(2)};
}
DEVICE Float3 transformed_size(const Transform& m, Float3 size) {
  return linear_size(m, size) + absolute({m.rows[0][3], m.rows[1][3], m.rows[2][3]});
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

// The same for a transform that was worked out from keys and inverted in single precision: beside
// the roundings, it is not quite the inverse. By how much is measured as |M W - 1| of the mesh's
// extent, in object space; measuring it rounds by less than 6 u of `back`.
DEVICE Float3 moved_error(const Pose& pose, Float3 mesh_size) {
  const Transform &w = pose.world_from_object, &m = pose.object_from_world;
  const auto residual_row = [&](int i) {
    const float* r = m.rows[i];
    float reach = 0.0f;
    UNROLL for (int j = 0; j < 4; j++) {
      const float exact = i == j ? 1.0f : 0.0f, own = j == 3 ? r[3] : 0.0f;
      const float element = r[0] * w.rows[0][j] + r[1] * w.rows[1][j] + r[2] * w.rows[2][j] + own;
      reach += fabsf(element - exact) *
               (j == 0 ? mesh_size.x : j == 1 ? mesh_size.y : j == 2 ? mesh_size.z : 1.0f);
    }
    return reach;
  };
  const Float3 residual = {residual_row(0), residual_row(1), residual_row(2)};
  const Float3 forth = transformed_size(w, mesh_size), back = transformed_size(m, forth);
  return forth * (8.0f * ROUNDING) + linear_size(w, residual + back * (22.0f * ROUNDING));
}

// The origin of a ray that leaves point on the side to which normal, of unit length, points.
DEVICE Float3 offset_origin(Float3 point, Float3 normal, float error) {
  return point + normal * error;
}
