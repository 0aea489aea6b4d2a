// What a hit depends on beside ray and geometry. Traversal takes it as a template parameter, so that
// scenes that never change pay nothing for those that do.
#pragma once
#include "ray.cuh"

// Everything stands still and is there.
struct Always {
  static constexpr bool varies = false;
};

// The scene at a time, 0 where the shutter opens, 1 where it closes, as one ray meets it:
// is_present(hit) says whether a triangle that may be cut out is there. It must be a pure function, so
// that the nearest hit does not depend on the order in which triangles are met.
template <class Presence>
struct Moment {
  static constexpr bool varies = true;
  float time;
  Presence is_present;
};

// Nothing is cut out.
struct Whole {
  DEVICE bool operator()(const Hit&) const { return true; }
};
