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

// The corners relative to the ray's origin, axes permuted.
template <int W>
struct Corners {
  Lanes3<W> a, b, c;
};

template <int W>
DEVICE Corners<W> corners_from(const TriangleBlock<W>& block, const TriangleRay& ray) {
  const auto coordinate = [&](int corner, int axis, float origin) {
    return load_lanes<W>(block.corner[3 * corner] + W * axis) - all_lanes<W>(origin);
  };
  const int z = ray.z_axis, x = following_axis(z), y = following_axis(x);
  const auto corner = [&](int i) -> Lanes3<W> {
    return {coordinate(i, x, ray.origin.x), coordinate(i, y, ray.origin.y),
            coordinate(i, z, ray.origin.z)};
  };
  return {corner(0), corner(1), corner(2)};
}

// One triangle: three 128-bit loads.
DEVICE Corners<1> corners_from(const TriangleBlock<1>& block, const TriangleRay& ray) {
  const Words4 p = load_words(block.corner[0]), q = load_words(block.corner[4]),
               s = load_words(block.corner[8]);
  const int z = ray.z_axis, x = following_axis(z), y = following_axis(x);
  const auto corner = [&](uint32_t first, uint32_t second, uint32_t third) {
    const Indexed3 v = indexed(lanes_of({float_of(first), float_of(second), float_of(third)}));
    const auto relative = [&](int axis, float origin) {
      return all_lanes<1>(difference(v[axis], origin));
    };
    return Lanes3<1>{relative(x, ray.origin.x), relative(y, ray.origin.y),
                     relative(z, ray.origin.z)};
  };
  return {corner(p.x, p.y, p.z), corner(p.w, q.x, q.y), corner(q.z, q.w, s.x)};
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
  const Interval<W> x = slab(k.a.x, k.b.x, k.c.x, ray.inverse.x),
                    y = slab(k.a.y, k.b.y, k.c.y, ray.inverse.y),
                    z = slab(k.a.z, k.b.z, k.c.z, ray.inverse.z);
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
  const Lanes<W> ax = k.a.x - shear_x * k.a.z, ay = k.a.y - shear_y * k.a.z;
  const Lanes<W> bx = k.b.x - shear_x * k.b.z, by = k.b.y - shear_y * k.b.z;
  const Lanes<W> cx = k.c.x - shear_x * k.c.z, cy = k.c.y - shear_y * k.c.z;
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
  const Lanes<W> per_z = all_lanes<W>(ray.inverse.z);
  const Lanes<W> depth = (u * k.a.z + v * k.b.z + w * k.c.z) / hits.area * per_z;
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
