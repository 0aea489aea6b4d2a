// Where a moving thing stands at a moment of the shutter's opening.
//
// Its keys are transforms, world from object, at equal steps of the time from 0, where the shutter
// opens, to 1, where it closes. Between two keys the matrix changes linearly, as in mental ray: a
// point moves on a straight line at a constant speed. Its place is then a convex combination of its
// places at two keys, so that a box around those of all keys holds its whole way.
//
// Every product and every sum is rounded: builds and layouts see the same bits.
#pragma once
#include "../vec.cuh"

// Keys of one instance in the array of all. No keys: it stands still.
struct Motion {
  uint32_t first_key, key_count;
};

struct Pose {
  Transform world_from_object, object_from_world;
};

DEVICE float rounded_dot(Float3 a, Float3 b) {
  return sum(sum(product(a.x, b.x), product(a.y, b.y)), product(a.z, b.z));
}

DEVICE Float3 rounded_cross(Float3 a, Float3 b) {
  const auto minor = [](float p, float q, float r, float s) {
    return difference(product(p, q), product(r, s));
  };
  return {minor(a.y, b.z, a.z, b.y), minor(a.z, b.x, a.x, b.z), minor(a.x, b.y, a.y, b.x)};
}

// time: 0 to 1. At a key exactly that key.
DEVICE Transform transform_at(const Transform* keys, const Motion& motion, float time) {
  const float place = product(time, static_cast<float>(static_cast<int>(motion.key_count - 1)));
  const auto whole = static_cast<uint32_t>(static_cast<int>(place));
  const uint32_t before = whole < motion.key_count - 2 ? whole : motion.key_count - 2;
  const float later = difference(place, static_cast<float>(static_cast<int>(before)));
  const float earlier = difference(1.0f, later);
  const Transform* key = keys + motion.first_key + before;
  Transform result;
  UNROLL for (int i = 0; i < 3; i++) {
    UNROLL for (int j = 0; j < 4; j++)
      result.rows[i][j] =
          sum(product(earlier, key[0].rows[i][j]), product(later, key[1].rows[i][j]));
  }
  return result;
}

// By cofactors. Not finite where there is none: such a moment flattens the mesh, and no ray that is
// brought there can be traced.
DEVICE Transform inverse_of(const Transform& m) {
  const auto r = m.rows;
  const Float3 a = {r[0][0], r[0][1], r[0][2]}, b = {r[1][0], r[1][1], r[1][2]},
               c = {r[2][0], r[2][1], r[2][2]};
  const Float3 x = rounded_cross(b, c), y = rounded_cross(c, a), z = rounded_cross(a, b);
  const float scale = 1.0f / rounded_dot(a, x);
  const Float3 translation = {r[0][3], r[1][3], r[2][3]};
  Transform result;
  const auto set_row = [&](int i, float p, float q, float s) {
    const Float3 row = {product(p, scale), product(q, scale), product(s, scale)};
    result.rows[i][0] = row.x;
    result.rows[i][1] = row.y;
    result.rows[i][2] = row.z;
    result.rows[i][3] = -rounded_dot(row, translation);
  };
  set_row(0, x.x, y.x, z.x);
  set_row(1, x.y, y.y, z.y);
  set_row(2, x.z, y.z, z.z);
  return result;
}

DEVICE Pose pose_at(const Transform* keys, const Motion& motion, float time) {
  const Transform world_from_object = transform_at(keys, motion, time);
  return {world_from_object, inverse_of(world_from_object)};
}
