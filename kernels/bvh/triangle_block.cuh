// Triangles as the leaves hold them, and the watertight test. Blocks of four side by side for the
// CPU's vector units (176 bytes), single triangles for the GPU (48 bytes).
#pragma once
#include "../simd.cuh"
#include "ray_setup.cuh"

// Set in a block's triangle where some instance cuts the triangle out; see Material::absence.
constexpr uint32_t MAY_BE_ABSENT = 0x80000000u;

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
  const auto coordinate = [&](int corner, int axis) {
    return load_lanes<W>(block.corner[3 * corner] + W * axis) - all_lanes<W>(ray.origin[axis]);
  };
  return {coordinate(0, x), coordinate(0, y), coordinate(0, z),
          coordinate(1, x), coordinate(1, y), coordinate(1, z),
          coordinate(2, x), coordinate(2, y), coordinate(2, z)};
}

// One triangle: three 128-bit loads.
DEVICE Corners<1> corners_from(const TriangleBlock<1>& block, const TriangleRay& ray) {
  const Words4 p = load_words(block.corner[0]), q = load_words(block.corner[4]),
               s = load_words(block.corner[8]);
  const auto corner = [&](uint32_t x, uint32_t y, uint32_t z) {
    return indexed(lanes_of({difference(float_of(x), ray.origin[0]),
                              difference(float_of(y), ray.origin[1]),
                              difference(float_of(z), ray.origin[2])}));
  };
  const Indexed3 a = corner(p.x, p.y, p.z), b = corner(p.w, q.x, q.y), c = corner(q.z, q.w, s.x);
  const auto lane = [](const Indexed3& v, int axis) { return all_lanes<1>(v[axis]); };
  const int z = ray.z_axis, x = following_axis(z), y = following_axis(x);
  return {lane(a, x), lane(a, y), lane(a, z), lane(b, x), lane(b, y),
          lane(b, z), lane(c, x), lane(c, y), lane(c, z)};
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
  const Interval<W> x = slab(k.ax, k.bx, k.cx, ray.inverse[x_axis]),
                    y = slab(k.ay, k.by, k.cy, ray.inverse[y_axis]),
                    z = slab(k.az, k.bz, k.cz, ray.inverse[z_axis]);
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
  const Lanes<W> per_z = all_lanes<W>(ray.inverse[ray.z_axis]);
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
