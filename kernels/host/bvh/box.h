// Axis-aligned boxes for the builder, four floats wide so that one instruction handles a corner.
#pragma once
#include <cfloat>

#include "../../vec.cuh"

typedef float Float4 __attribute__((vector_size(16)));

inline Float4 lower(Float4 a, Float4 b) { return a < b ? a : b; }
inline Float4 upper(Float4 a, Float4 b) { return a > b ? a : b; }
inline Float4 float4_of(Float3 v) { return Float4{v.x, v.y, v.z, 0.0f}; }

// Starts empty: low above high.
struct Box {
  Float4 low = {FLT_MAX, FLT_MAX, FLT_MAX, 0.0f};
  Float4 high = {-FLT_MAX, -FLT_MAX, -FLT_MAX, 0.0f};

  void include(Float4 point) {
    low = lower(low, point);
    high = upper(high, point);
  }
  void include(const Box& box) {
    low = lower(low, box.low);
    high = upper(high, box.high);
  }
  // Twice the centre: halving it would only cost.
  Float4 centre_twice() const { return low + high; }
  // Half the surface: only ratios matter.
  float area() const {
    const Float4 e = high - low;
    return e[0] < 0.0f ? 0.0f : e[0] * e[1] + e[1] * e[2] + e[2] * e[0];
  }
};
