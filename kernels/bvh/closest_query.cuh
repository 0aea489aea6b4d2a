// What becomes of the triangles that a ray hits: the closest is kept, or the first ends the search.
#pragma once
#include "conditions.cuh"
#include "triangle_block.cuh"

template <class Conditions>
DEVICE uint32_t number_of(uint32_t triangle) {
  return Conditions::varies ? triangle & ~MAY_BE_ABSENT : triangle;
}

template <int W>
DEVICE Hit hit_of_lane(const BlockHits<W>& hits, int lane, uint32_t instance, uint32_t triangle) {
  const float area = hits.area[lane];
  return {hits.t[lane], hits.second_edge[lane] / area, hits.third_edge[lane] / area, instance,
          triangle};
}

template <class Conditions, int W>
DEVICE bool is_there(const Conditions& conditions, const BlockHits<W>& hits,
                     const TriangleBlock<W>& block, int lane, uint32_t instance) {
  if constexpr (Conditions::varies) {
    const uint32_t triangle = block.triangle[lane];
    return !(triangle & MAY_BE_ABSENT) ||
           conditions.is_present(hit_of_lane(hits, lane, instance, triangle & ~MAY_BE_ABSENT));
  } else {
    return true;
  }
}

// Notice: a function that is told of every hit that may be the closest, while the search goes on.
template <class Conditions, class Notice>
struct ClosestQuery {
  static constexpr bool ends_at_first_hit = false;

  Hit& hit;
  float t_max;  // t of the hit, once there is one
  Conditions conditions;
  Notice notice;

  template <int W>
  DEVICE bool take(const BlockHits<W>& hits, const TriangleBlock<W>& block,
                   uint32_t first_instance) {
    for (uint32_t mask = hits.mask; mask; mask &= mask - 1) {
      const int i = W == 1 ? 0 : lowest_bit(mask);
      const uint32_t instance = first_instance + block.instance[i];
      const uint32_t triangle = number_of<Conditions>(block.triangle[i]);
      if (!is_better(hits.t[i], instance, triangle)) continue;
      if (!is_there(conditions, hits, block, i, instance)) continue;
      t_max = hits.t[i];
      hit = hit_of_lane(hits, i, instance, triangle);
      notice(hit);
    }
    return false;
  }

  // NO_INSTANCE is greater than any instance: a first hit at t_max itself is taken.
  DEVICE bool is_better(float t, uint32_t instance, uint32_t triangle) const {
    if (t != t_max) return t < t_max;
    return instance < hit.instance || (instance == hit.instance && triangle < hit.triangle);
  }
};

template <class Conditions>
struct AnyQuery {
  static constexpr bool ends_at_first_hit = true;

  float t_max;
  Conditions conditions;

  template <int W>
  DEVICE bool take(const BlockHits<W>& hits, const TriangleBlock<W>& block,
                   uint32_t first_instance) {
    if constexpr (!Conditions::varies) {
      return hits.mask != 0;
    } else {
      for (uint32_t mask = hits.mask; mask; mask &= mask - 1) {
        const int i = W == 1 ? 0 : lowest_bit(mask);
        if (is_there(conditions, hits, block, i, first_instance + block.instance[i])) return true;
      }
      return false;
    }
  }
};
