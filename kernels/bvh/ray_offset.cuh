// Where a ray that leaves a surface begins, so that it neither meets that surface again nor jumps
// over a neighbour: a bound on the rounding errors of the hit point, not a fixed epsilon. In the
// manner of Pharr, Jakob, Humphreys, "Physically Based Rendering", 6.8, extended by the way through
// the instance's transforms and back.
#pragma once
#include "../vec.cuh"

// Roundings of 2^-24: interpolating corners (4), to world space (4), the object ray (4), edge
// functions and depth of the next test (8), and the inverse that is itself rounded; twice that.
constexpr float ERROR_PER_SIZE = 32.0f * 5.9604645e-8f;

// |M| v + |translation|: what the terms of a transformed point can add up to.
DEVICE Float3 transformed_size(const Transform& m, Float3 size) {
  const auto row = [&](int i) {
    const float* r = m.rows[i];
    return fabsf(r[0]) * size.x + fabsf(r[1]) * size.y + fabsf(r[2]) * size.z + fabsf(r[3]);
  };
  return {row(0), row(1), row(2)};
}

// How far, per axis of world space, a hit point computed from barycentric weights and the surface
// as the next ray sees it may lie apart. corner_size: per axis the largest magnitude of the
// triangle's corners in object space; point: the hit in world space.
DEVICE Float3 hit_error(Float3 corner_size, const Transform& world_from_object,
                        const Transform& object_from_world, Float3 point) {
  const Float3 forth = transformed_size(world_from_object, corner_size);
  const Float3 back = transformed_size(object_from_world, absolute(point));
  return (forth + transformed_size(world_from_object, back)) * ERROR_PER_SIZE;
}

// The origin of a ray that leaves point on the side to which normal, of unit length, points.
DEVICE Float3 offset_origin(Float3 point, Float3 normal, Float3 error) {
  return point + normal * dot(absolute(normal), error);
}
