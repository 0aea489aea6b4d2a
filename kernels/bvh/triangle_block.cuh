// Triangles as the leaves hold them, and the watertight test. Blocks of four side by side for the
// CPU's vector units (176 bytes), single triangles for the GPU (48 bytes).
#pragma once
#include "../simd.cuh"
#include "ray_setup.cuh"

template <int W>
struct alignas(16) TriangleBlock {
  float corner[9][W];  // x, y, z of the first, second, third corner
  uint32_t instance[W];  // counted from the placement's first_instance
  uint32_t triangle[W];  // counted within the mesh
};
static_assert(sizeof(TriangleBlock<4>) == 176 && sizeof(TriangleBlock<1>) == 48);

// Corners relative to the ray's origin, axes permuted: a, b, c are the first to third corner.
template <int W>
struct Corners {
  Lanes<W> ax, ay, az, bx, by, bz, cx, cy, cz;
};

template <int W>
DEVICE Corners<W> corners_from(const TriangleBlock<W>& block, const TriangleRay& ray) {
  const int z = ray.z_axis, x = following_axis(z), y = following_axis(x);
  const auto row = [&](int k, float o) {
    return load_lanes<W>(block.corner[k]) - all_lanes<W>(o);
  };
  const float ox = pick(x, ray.origin), oy = pick(y, ray.origin), oz = pick(z, ray.origin);
  return {row(x, ox),     row(y, oy),     row(z, oz),     row(3 + x, ox), row(3 + y, oy),
          row(3 + z, oz), row(6 + x, ox), row(6 + y, oy), row(6 + z, oz)};
}

DEVICE Float3 rounded_difference(Float3 a, Float3 b) {
  return {difference(a.x, b.x), difference(a.y, b.y), difference(a.z, b.z)};
}

// One triangle: three 128-bit loads, and selects in place of indexed loads.
DEVICE Corners<1> corners_from(const TriangleBlock<1>& block, const TriangleRay& ray) {
  const Words4 p = load_words(block.corner[0]), q = load_words(block.corner[4]),
               s = load_words(block.corner[8]);
  const Float3 o = ray.origin;
  const Float3 a = rounded_difference({float_of(p.x), float_of(p.y), float_of(p.z)}, o);
  const Float3 b = rounded_difference({float_of(p.w), float_of(q.x), float_of(q.y)}, o);
  const Float3 c = rounded_difference({float_of(q.z), float_of(q.w), float_of(s.x)}, o);
  const auto lane = [](int axis, Float3 v) { return all_lanes<1>(pick(axis, v)); };
  const int z = ray.z_axis, x = following_axis(z), y = following_axis(x);
  return {lane(x, a), lane(y, a), lane(z, a), lane(x, b), lane(y, b),
          lane(z, b), lane(x, c), lane(y, c), lane(z, c)};
}

// Where the line of the ray enters and leaves the bounding box of each triangle.
template <int W>
struct Interval {
  Lanes<W> entry, exit;
};

template <int W>
DEVICE Interval<W> slab(Lanes<W> a, Lanes<W> b, Lanes<W> c, float inverse) {
  const Lanes<W> i = all_lanes<W>(inverse), p = a * i, q = b * i, r = c * i;
  return {minimum(p, minimum(q, r)), maximum(p, maximum(q, r))};
}

template <int W>
DEVICE Interval<W> box_interval(const Corners<W>& k, const TriangleRay& ray) {
  const int z_axis = ray.z_axis, x_axis = following_axis(z_axis), y_axis = following_axis(x_axis);
  const Interval<W> x = slab(k.ax, k.bx, k.cx, pick(x_axis, ray.inverse)),
                    y = slab(k.ay, k.by, k.cy, pick(y_axis, ray.inverse)),
                    z = slab(k.az, k.bz, k.cz, pick(z_axis, ray.inverse));
  return {maximum(x.entry, maximum(y.entry, z.entry)), minimum(x.exit, minimum(y.exit, z.exit))};
}

// The lanes that the ray hits at t <= t_max, one bit each. The weights are edge / area.
template <int W>
struct BlockHits {
  uint32_t mask;
  Lanes<W> t, second_edge, third_edge, area;
};

// entry_min: t is not below it (entry of the placement that holds the triangles).
template <int W>
DEVICE BlockHits<W> hit_triangles(const TriangleBlock<W>& block, const TriangleRay& ray,
                                  float entry_min, float t_max) {
  BlockHits<W> hits;
  const Corners<W> k = corners_from(block, ray);
  const Lanes<W> shear_x = all_lanes<W>(ray.x_shear), shear_y = all_lanes<W>(ray.y_shear);
  const Lanes<W> ax = k.ax - shear_x * k.az, ay = k.ay - shear_y * k.az;
  const Lanes<W> bx = k.bx - shear_x * k.bz, by = k.by - shear_y * k.bz;
  const Lanes<W> cx = k.cx - shear_x * k.cz, cy = k.cy - shear_y * k.cz;
  // Edge functions with both products rounded: an edge has the same value, but for its sign, in
  // both triangles that share it.
  const Lanes<W> u = cx * by - cy * bx, v = ax * cy - ay * cx, w = bx * ay - by * ax;
  const Lanes<W> zero = all_lanes<W>(0.0f);
  hits.mask = less_or_equal(zero, minimum(u, minimum(v, w))) |
              less_or_equal(maximum(u, maximum(v, w)), zero);
  if (!hits.mask) return hits;

  hits.area = u + v + w;
  hits.second_edge = v;
  hits.third_edge = w;
  // Not finite where the triangle is seen edge-on or has no area: no hit. t is never less.
  const Lanes<W> per_z = all_lanes<W>(pick(ray.z_axis, ray.inverse));
  const Lanes<W> depth = (u * k.az + v * k.bz + w * k.cz) / hits.area * per_z;
  hits.mask &= less_or_equal(depth, all_lanes<W>(t_max)) &
               less_or_equal(all_lanes<W>(-FARTHEST), depth);
  if (!hits.mask) return hits;

  const Interval<W> box = box_interval(k, ray);
  const Lanes<W> t_min = all_lanes<W>(ray.t_min);
  hits.t = maximum(maximum(depth, box.entry), all_lanes<W>(entry_min));
  hits.mask &= less_or_equal(maximum(box.entry, t_min), box.exit * all_lanes<W>(TRIANGLE_SLACK)) &
               less_or_equal(t_min, hits.t) & less_or_equal(hits.t, all_lanes<W>(t_max));
  return hits;
}
