// Where in a texture a point lies.
#pragma once
#include "value.cuh"

// Coordinates a little beyond the interval from 0 to 1 are roundings of its ends.
constexpr float COORDINATE_ERROR = 1e-5f;

DEVICE bool is_inside(float x) { return x > -COORDINATE_ERROR && x < 1.0f + COORDINATE_ERROR; }
DEVICE float held_inside(float x) { return clamp(x, 0.0f, BELOW_ONE); }

// The texture coordinates of the surface.
struct SurfaceCoordinates {
  DEVICE void apply(const TextureView& at, ValueStack& stack) const {
    stack.push({at.uv.x, at.uv.y, 0.0f, at.footprint});
  }
};

// Transforms, repeats inside the unit interval, mirroring every other copy where asked to, and crops;
// a torus repeats the unit interval without end. The flags hold a bit for each of x, y and z.
struct Remap {
  Transform transform;
  Float3 repeat;       // copies in the unit interval
  Float3 low, extent;  // what part of the texture is shown
  uint32_t alternate, torus;
  float stretch;  // of the footprint

  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    Float4& value = stack.top();
    const Float3 p = transform_point(transform, {value.x, value.y, value.z});
    value = {axis(p.x, repeat.x, low.x, extent.x, 1u), axis(p.y, repeat.y, low.y, extent.y, 2u),
             axis(p.z, repeat.z, low.z, extent.z, 4u), value.w * stretch};
  }

 private:
  DEVICE float axis(float x, float copies, float begin, float length, uint32_t bit) const {
    if (torus & bit) x -= floorf(x);
    if (!is_inside(x)) return -1.0f;
    const float repeated = held_inside(x) * copies;
    const float copy = floorf(repeated);
    const float inside = repeated - copy;
    const bool is_mirrored = (alternate & bit) && copy != 2.0f * floorf(0.5f * copy);
    return begin + length * (is_mirrored ? 1.0f - inside : inside);
  }
};
