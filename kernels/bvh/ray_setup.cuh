// What a ray computes once, before it meets boxes and triangles, and the slacks that make every hit
// a pure function of ray and geometry.
//
// A triangle is hit where its edge functions say so AND its own bounding box is crossed, the
// latter in exact-rounding arithmetic (triangle_block.cuh); its t is not below the entry of that
// box. The boxes of nodes are tested with slacks that are provably larger, so no node above a hit
// is ever culled, whichever layout, order or instruction set is in use. Slabs after Williams et al.
// 2005; the split of the ray constants after Ize 2013, "Robust BVH Ray Traversal", JCGT 2(2).
//
// With u = 2^-24 (a rounding), r the exact (plane - origin) * inverse and n = origin * inverse:
//   near = plane * inverse - n - OFFSET_SLACK |n|  <=  r (1 + 2u) - u |n|     fused or not;
//   far  = plane * inverse - n + OFFSET_SLACK |n|  >=  r (1 - 2u) + u |n|;
//   the triangle's own planes, rounded twice:  r (1 - 2u) ... r (1 + 2u).
// TRIANGLE_SLACK lets 9u of gap pass between its entry and its exit, NODE_SLACK 20u: more than
// 9u + 8u for the roundings above and of the products themselves.
#pragma once
#include "../simd.cuh"
#include "ray.cuh"

constexpr float OFFSET_SLACK = 2.4e-7f;
constexpr float TRIANGLE_SLACK = 1.0000005f;
constexpr float NODE_SLACK = 1.0000012f;
// Stands for infinity, so that no product of it and a slack is one.
constexpr float FARTHEST = 3e38f;

// The ray as boxes see it: the distance of a plane is plane * inverse + near (or far) offset. Lanes
// are x, y, z and one that stands for nothing.
struct BoxRay {
  Lanes<4> inverse, near_offset, far_offset;
  uint32_t octant;  // bit per axis: set where the direction is negative
  float t_min;
};

// The ray as triangles see it, after Woop, Benthin, Wald 2013, "Watertight Ray/Triangle
// Intersection", JCGT 2(1): axes permuted so that z is the longest of the direction, space sheared
// so that the ray runs along z. origin and inverse are permuted.
struct TriangleRay {
  Float3 origin, inverse;
  int z_axis;
  float x_shear, y_shear;
  float t_min;
};

DEVICE int following_axis(int axis) { return axis == 2 ? 0 : axis + 1; }

constexpr uint32_t THREE_LANES = 7;

// Whether a ray can hit anything: origin and direction finite, direction not zero, some t allowed.
// One branch for all of it.
DEVICE bool is_traceable(const Ray& ray) {
  const Lanes<4> farthest = all_lanes<4>(FARTHEST);
  const uint32_t finite = less_or_equal(absolute(lanes_of(ray.origin)), farthest) &
                          less_or_equal(absolute(lanes_of(ray.direction)), farthest);
  return ((finite & THREE_LANES) == THREE_LANES) &
         (max_component(absolute(ray.direction)) >= 1e-18f) &
         (ray.t_min <= ray.t_max) & (ray.t_max >= 0.0f);
}

DEVICE BoxRay box_ray(const Ray& ray) {
  const Lanes<4> d = lanes_of(ray.direction), zero = all_lanes<4>(0.0f);
  // A component that is zero, or as good as zero, becomes a tiny one: its planes are then far away
  // on either side of the origin and no distance is infinite or not a number.
  const float tiny = max_component(absolute(ray.direction)) * 1e-18f;
  const Lanes<4> inverse =
      all_lanes<4>(1.0f) / copy_sign(maximum(absolute(d), all_lanes<4>(tiny)), d);
  const Lanes<4> n = lanes_of(ray.origin) * inverse;
  const Lanes<4> slack = absolute(n) * all_lanes<4>(OFFSET_SLACK);
  return {inverse, zero - (n + slack), slack - n, less_or_equal(inverse, zero) & THREE_LANES,
          maximum(ray.t_min, 0.0f)};
}

DEVICE TriangleRay triangle_ray(const Ray& ray, const BoxRay& box) {
  const Float3 d = absolute(ray.direction);
  const int z = d.z >= maximum(d.x, d.y) ? 2 : d.x > d.y ? 0 : 1;
  const int x = following_axis(z), y = following_axis(x);
  const Indexed3 origin = indexed(lanes_of(ray.origin)),
                 direction = indexed(lanes_of(ray.direction)), inverse = indexed(box.inverse);
  const float per_z = inverse[z];
  return {{origin[x], origin[y], origin[z]},
          {inverse[x], inverse[y], per_z},
          z,
          product(direction[x], per_z),
          product(direction[y], per_z),
          box.t_min};
}
