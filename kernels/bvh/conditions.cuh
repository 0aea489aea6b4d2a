// What a hit depends on beside ray and geometry. Traversal takes it as a template parameter, so that
// scenes that never change pay nothing for those that do.
#pragma once
#include "../portability.cuh"

// Everything stands still.
struct Always {
  static constexpr bool varies = false;
};

// The scene at a time: 0 where the shutter opens, 1 where it closes.
struct Moment {
  static constexpr bool varies = true;
  float time;
};
