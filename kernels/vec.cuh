// Three-component vectors, affine transforms and orthonormal bases.
#pragma once
#include "portability.cuh"

struct Float2 {
  float x, y;
};

struct Float3 {
  float x, y, z;
};

DEVICE Float3 float3_of(float x, float y, float z) { return Float3{x, y, z}; }
DEVICE Float3 splat(float s) { return Float3{s, s, s}; }
DEVICE Float3 operator+(Float3 a, Float3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
DEVICE Float3 operator-(Float3 a, Float3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
DEVICE Float3 operator-(Float3 a) { return {-a.x, -a.y, -a.z}; }
DEVICE Float3 operator*(Float3 a, Float3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
DEVICE Float3 operator*(Float3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
DEVICE Float3 operator*(float s, Float3 a) { return a * s; }
DEVICE float dot(Float3 a, Float3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
DEVICE Float3 cross(Float3 a, Float3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
DEVICE float length(Float3 a) { return sqrtf(dot(a, a)); }
DEVICE Float3 normalize(Float3 a) { return a * (1.0f / length(a)); }
DEVICE Float3 absolute(Float3 a) { return {fabsf(a.x), fabsf(a.y), fabsf(a.z)}; }
DEVICE Float3 largest(Float3 a, Float3 b) {
  return {maximum(a.x, b.x), maximum(a.y, b.y), maximum(a.z, b.z)};
}
DEVICE float max_component(Float3 a) { return maximum(a.x, maximum(a.y, a.z)); }
DEVICE bool is_black(Float3 a) { return max_component(a) <= 0.0f; }
// Rec. 709 luminance of a linear colour.
DEVICE float luminance(Float3 c) { return 0.2126f * c.x + 0.7152f * c.y + 0.0722f * c.z; }

// Rows of a 3x4 matrix that maps column vectors: p' = M (p, 1).
struct Transform {
  float rows[3][4];
};

DEVICE Float3 transform_vector(const Transform& m, Float3 v) {
  const auto r = m.rows;
  return {r[0][0] * v.x + r[0][1] * v.y + r[0][2] * v.z,
          r[1][0] * v.x + r[1][1] * v.y + r[1][2] * v.z,
          r[2][0] * v.x + r[2][1] * v.y + r[2][2] * v.z};
}
DEVICE Float3 transform_point(const Transform& m, Float3 p) {
  const Float3 v = transform_vector(m, p);
  return {v.x + m.rows[0][3], v.y + m.rows[1][3], v.z + m.rows[2][3]};
}
// Normals go from object to world with the transpose of the world-to-object matrix.
DEVICE Float3 transform_normal(const Transform& object_from_world, Float3 n) {
  const auto r = object_from_world.rows;
  return {r[0][0] * n.x + r[1][0] * n.y + r[2][0] * n.z,
          r[0][1] * n.x + r[1][1] * n.y + r[2][1] * n.z,
          r[0][2] * n.x + r[1][2] * n.y + r[2][2] * n.z};
}

// Right-handed frame around a unit normal. Duff et al. 2017, "Building an Orthonormal Basis,
// Revisited", JCGT 6(1).
struct Frame {
  Float3 tangent, bitangent, normal;
};
DEVICE Frame frame_around(Float3 n) {
  const float sign = with_sign_of(1.0f, n.z);
  const float a = -1.0f / (sign + n.z);
  const float b = n.x * n.y * a;
  return {{1.0f + sign * n.x * n.x * a, sign * b, -sign * n.x},
          {b, sign + n.y * n.y * a, -n.y},
          n};
}
DEVICE Float3 to_local(const Frame& f, Float3 v) {
  return {dot(v, f.tangent), dot(v, f.bitangent), dot(v, f.normal)};
}
DEVICE Float3 to_world(const Frame& f, Float3 v) {
  return f.tangent * v.x + f.bitangent * v.y + f.normal * v.z;
}
