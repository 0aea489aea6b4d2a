// Axis-aligned boxes for the builder, eight floats wide: low corners are kept negated, so that one
// maximum joins two boxes.
#pragma once
#include <cfloat>

#include "../../simd.cuh"

// Lanes 0 to 2 are the negated low corner, 4 to 6 the high one; 3 and 7 are the owner's, and what
// joining makes of them means nothing. Starts empty: low above high.
struct Box {
  Lanes<8> lanes = all_lanes<8>(-FLT_MAX);

  static Box at(Lanes<4> point) {
    const Lanes<4> negated = all_lanes<4>(0.0f) - point;
    return {{__builtin_shufflevector(negated.v, point.v, 0, 1, 2, 3, 4, 5, 6, 7)}};
  }
  float low(int axis) const { return -lanes[axis]; }
  float high(int axis) const { return lanes[4 + axis]; }

  void include(const Box& box) { lanes = maximum(lanes, box.lanes); }

  Lanes<4> negated_lows() const { return {__builtin_shufflevector(lanes.v, lanes.v, 0, 1, 2, 3)}; }
  Lanes<4> highs() const { return {__builtin_shufflevector(lanes.v, lanes.v, 4, 5, 6, 7)}; }
  // Twice the centre: halving it would only cost.
  Lanes<4> centre_twice() const { return highs() - negated_lows(); }
  Lanes<4> extent() const { return highs() + negated_lows(); }
  // Half the surface: only ratios matter. Zero where empty, which extents beyond FLT_MAX are not.
  float area() const {
    const Lanes<4> e = maximum(extent(), all_lanes<4>(0.0f));
    const Lanes<4> next = {__builtin_shufflevector(e.v, e.v, 1, 2, 0, 3)};
    const Lanes<4> faces = e * next;
    return faces[0] + faces[1] + faces[2];
  }
};

// What a tree is built over: the box of one primitive in 32 bytes, and which in its spare lanes.
struct Reference {
  Lanes<8> lanes;

  static Reference of(const Box& box, uint32_t instance, uint32_t primitive) {
    Reference reference = {box.lanes};
    reference.lanes.v[3] = float_of(instance);
    reference.lanes.v[7] = float_of(primitive);
    return reference;
  }
  Box box() const { return {lanes}; }
  uint32_t instance() const { return bits_of(lanes[3]); }
  uint32_t primitive() const { return bits_of(lanes[7]); }
};
static_assert(sizeof(Reference) == 32);
