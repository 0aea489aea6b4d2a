// The film: sums of samples, [height, width] from the upper left.
#pragma once
#include "math.cuh"

// Linear Rec. 709 radiance, summed in order of the samples, so that any split into passes gives the
// same bits. A sample that is not finite is a bug or an absurd scene: it is dropped, and missing in
// count. Float sums count exactly up to 16 million samples.
struct FilmPixel {
  float red, green, blue, count;
};

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

DEVICE bool is_finite(Float3 v) {
  return (v.x - v.x) + (v.y - v.y) + (v.z - v.z) == 0.0f;  // infinity - infinity is not a number
}

DEVICE void add_sample(FilmPixel& pixel, Float3 radiance) {
  if (!is_finite(radiance)) return;
  pixel.red += radiance.x;
  pixel.green += radiance.y;
  pixel.blue += radiance.z;
  pixel.count += 1.0f;
}
