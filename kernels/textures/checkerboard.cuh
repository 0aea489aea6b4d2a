// The unit cube in eight boxes of a colour each, as mental ray's mib_texture_checkerboard.
#pragma once
#include "value.cuh"

struct Checkerboard {
  Float3 size;  // of the boxes at the lower left
  Float4 colors[8];  // x + 2 y + 4 z, 1 for the far box

  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    Float4& value = stack.top();
    const uint32_t box = (value.x >= size.x ? 1u : 0u) | (value.y >= size.y ? 2u : 0u) |
                         (value.z >= size.z ? 4u : 0u);
    value = colors[box];
  }
};
