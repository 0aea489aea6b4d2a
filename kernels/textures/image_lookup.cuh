// An image at the coordinate on the stack; nothing, with alpha 0, beyond its borders.
#pragma once
#include "coordinates.cuh"

struct ImageLookup {
  uint32_t image;
  uint32_t edge_x, edge_y;  // ImageEdge

  DEVICE void apply(const TextureView& at, ValueStack& stack) const {
    Float4& value = stack.top();
    if (!(is_inside(value.x) && is_inside(value.y))) {
      value = all_four(0.0f);
      return;
    }
    const Float2 place = {held_inside(value.x), held_inside(value.y)};
    value = image_at(at.images, at.images.images[image], place, value.w, {edge_x, edge_y});
  }
};
