// The film: sums of samples, [height, width] from the upper left.
#pragma once
#include "math.cuh"

// A sum in fixed point, 64 bits before the point and 64 after it, in two's complement. Integers add up
// to the same bits in any order, floats do not: so a film is the same however its samples are split
// over passes, kernels or machines.
struct ExactSum {
  uint64_t fraction, whole;
};

// Linear Rec. 709 radiance, and the samples that are in it.
struct FilmPixel {
  ExactSum red, green, blue;
  uint64_t count;
};

// 2^24 samples, the most that a pixel has, of less than this do not overflow a sum.
constexpr float TOO_BRIGHT = 274877906944.0f;  // 2^38

struct PixelPosition {
  uint32_t x, y;
};

constexpr uint32_t TILE = 16;

// Numbers the pixels tile by tile, so that work items near in number are near on the film: threads
// of a GPU's warp and work of a CPU's core then meet the same geometry. Tiles at the right and at
// the bottom may be cut.
DEVICE PixelPosition pixel_of_item(uint32_t item, uint32_t width, uint32_t height) {
  const uint32_t band = item / (width * TILE), in_band = item - band * width * TILE;
  const uint32_t rows = height - band * TILE < TILE ? height - band * TILE : TILE;
  const uint32_t tile = in_band / (TILE * rows), in_tile = in_band - tile * TILE * rows;
  const uint32_t columns = width - tile * TILE < TILE ? width - tile * TILE : TILE;
  return {tile * TILE + in_tile % columns, band * TILE + in_tile / columns};
}

DEVICE ExactSum exactly(float x) {
  const float size = x < 0.0f ? -x : x;
  const uint64_t whole = static_cast<uint64_t>(size);
  // Exact as well: what is left has no bits that `size` has not. Below 2^-64 it is cut off.
  const float left = size - static_cast<float>(whole);
  const uint64_t fraction = static_cast<uint64_t>(left * 18446744073709551616.0f);  // 2^64
  if (!(x < 0.0f)) return {fraction, whole};
  return {~fraction + 1, ~whole + (fraction == 0)};
}

DEVICE void add_exactly(ExactSum& sum, float x) {
  const ExactSum term = exactly(x);
  sum.fraction += term.fraction;
  sum.whole += term.whole + (sum.fraction < term.fraction);
}

DEVICE bool may_be_added(float x) { return x > -TOO_BRIGHT && x < TOO_BRIGHT; }

// A sample that is not finite, or brighter than anything, is a bug or an absurd scene: it is dropped,
// and missing in count.
DEVICE void add_sample(FilmPixel& pixel, Float3 radiance) {
  if (!(may_be_added(radiance.x) && may_be_added(radiance.y) && may_be_added(radiance.z))) return;
  add_exactly(pixel.red, radiance.x);
  add_exactly(pixel.green, radiance.y);
  add_exactly(pixel.blue, radiance.z);
  pixel.count++;
}
