// closest_hit and any_hit: rays against an accelerator, two levels deep.
//
// A hit depends on ray, conditions and geometry alone. Of several hits at the same t the one with the lowest
// instance wins, then the one with the lowest triangle.
#pragma once
#include "closest_query.cuh"
#include "joined_levels.cuh"
#include "nested_levels.cuh"

template <bool OnGpu>
struct LayoutFor {
  using type = FloatLayout;
};
template <>
struct LayoutFor<true> {
  using type = CompressedLayout;
};
// The layout of the build at hand.
using KernelLayout = LayoutFor<ON_GPU>::type;

// Shows the query every triangle that the ray may hit before query.t_max. True where the query
// ended the search.
template <class Layout, class Query>
DEVICE bool trace(const Accelerator& accelerator, const Ray& ray, uint32_t mask, Query& query) {
  if constexpr (Layout::joins_levels) return trace_joined<Layout>(accelerator, ray, mask, query);
  else return trace_nested<Layout>(accelerator, ray, mask, query);
}

struct NoNotice {
  DEVICE void operator()(const Hit&) const {}
};

// The first hit of the instances whose mask has a bit in common with mask. False, and hit.instance
// is NO_INSTANCE, where there is none; a ray with a zero, infinite or NaN component sum hits none.
// notice is told of hits on the way, see ClosestQuery.
template <class Layout = KernelLayout, class Conditions = Always, class Notice = NoNotice>
DEVICE bool closest_hit(const Accelerator& accelerator, const Ray& ray, uint32_t mask, Hit& hit,
                        const Conditions& conditions = {}, const Notice& notice = {}) {
  hit = {ray.t_max, 0.0f, 0.0f, NO_INSTANCE, NO_INSTANCE};
  if (accelerator.placement_count == 0 || !is_traceable(ray)) return false;
  ClosestQuery<Conditions, Notice> query = {hit, minimum(ray.t_max, FARTHEST), conditions, notice};
  trace<Layout>(accelerator, ray, mask, query);
  return hit.instance != NO_INSTANCE;
}

// Whether anything of those instances is hit: for shadow rays, quicker than the closest hit.
template <class Layout = KernelLayout, class Conditions = Always>
DEVICE bool any_hit(const Accelerator& accelerator, const Ray& ray, uint32_t mask,
                    const Conditions& conditions = {}) {
  if (accelerator.placement_count == 0 || !is_traceable(ray)) return false;
  AnyQuery<Conditions> query = {minimum(ray.t_max, FARTHEST), conditions};
  return trace<Layout>(accelerator, ray, mask, query);
}
