// What traversal is asked, and what it answers.
#pragma once
#include "../vec.cuh"

// Points origin + t direction with t_min <= t <= t_max. The direction needs no unit length: t is
// counted in lengths of it. Negative t are never hit.
struct Ray {
  Float3 origin, direction;
  float t_min, t_max;
};

constexpr uint32_t NO_INSTANCE = 0xffffffffu;

// u and v are the barycentric weights of the triangle's second and third corner; the triangle is
// counted within its mesh. The hit point is best taken from the weights: t is as exact as the worst
// axis of the ray.
struct Hit {
  float t, u, v;
  uint32_t instance, triangle;
};
