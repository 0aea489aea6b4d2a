// Images in memory, and what is seen of them: bilinear between texels, linear between mip levels.
// All by plain arithmetic, so that every processor gives the same bits.
#pragma once
#include "../math.cuh"

struct Float4 {
  float x, y, z, w;
};

DEVICE Float4 all_four(float s) { return {s, s, s, s}; }
DEVICE Float4 operator+(Float4 a, Float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }
DEVICE Float4 operator*(Float4 a, Float4 b) { return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w}; }
DEVICE Float4 operator*(Float4 a, float s) { return a * all_four(s); }
DEVICE Float4 mix(Float4 a, Float4 b, float share) { return a * (1.0f - share) + b * share; }

enum TexelKind : uint32_t { TEXEL_BYTE, TEXEL_SRGB_BYTE, TEXEL_HALF };

// Levels lie end to end in the texels, rows from the bottom up, each level half as wide and high as
// the one before, rounded down, but at least one. channels: 1, or 4 with alpha.
struct Image {
  uint32_t offset;  // of the first level, in units of 16 bytes
  uint32_t width, height, level_count;
  uint32_t channels, kind;
};

struct ImageTable {
  const Image* images;
  const uint8_t* texels;
  const float* linear_of_srgb;  // [256]
};

// At the border of an image: its other side, or the border's own texels.
enum ImageEdge : uint32_t { EDGE_CLAMPED, EDGE_WRAPPED };

struct ImageEdges {
  uint32_t x, y;
};

// Of the 16 bits of a finite half float.
DEVICE float float_of_half(uint32_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const float value = magnitude < 0x400u
                          ? static_cast<float>(static_cast<int>(magnitude)) * 5.96046448e-8f
                          : float_of((magnitude << 13) + 0x38000000u);
  return float_of(bits_of(value) | (half & 0x8000u) << 16);
}

DEVICE float value_of_byte(uint32_t byte) {
  return static_cast<float>(static_cast<int>(byte)) * (1.0f / 255.0f);
}

DEVICE Float4 half_texel(const Image& image, const uint8_t* level, uint32_t index) {
  if (image.channels == 1) {
    const float v = float_of_half(reinterpret_cast<const uint16_t*>(level)[index]);
    return {v, v, v, 1.0f};
  }
  const uint32_t* words = reinterpret_cast<const uint32_t*>(level) + 2 * index;
  const uint32_t low = words[0], high = words[1];
  return {float_of_half(low & 0xffffu), float_of_half(low >> 16), float_of_half(high & 0xffffu),
          float_of_half(high >> 16)};
}

DEVICE Float4 byte_texel(const ImageTable& table, const Image& image, const uint8_t* level,
                         uint32_t index) {
  const bool is_srgb = image.kind == TEXEL_SRGB_BYTE;
  const auto color = [&](uint32_t byte) {
    return is_srgb ? table.linear_of_srgb[byte] : value_of_byte(byte);
  };
  if (image.channels == 1) {
    const float v = color(level[index]);
    return {v, v, v, 1.0f};
  }
  const uint32_t word = reinterpret_cast<const uint32_t*>(level)[index];
  return {color(word & 0xffu), color(word >> 8 & 0xffu), color(word >> 16 & 0xffu),
          value_of_byte(word >> 24)};
}

struct MipLevel {
  const uint8_t* texels;
  uint32_t width, height;
};

DEVICE uint32_t halved(uint32_t size) { return size > 1 ? size / 2 : 1; }

DEVICE MipLevel mip_level(const ImageTable& table, const Image& image, uint32_t number) {
  const uint32_t texel_bytes = image.channels * (image.kind == TEXEL_HALF ? 2u : 1u);
  MipLevel level = {table.texels + uint64_t{image.offset} * 16, image.width, image.height};
  for (uint32_t i = 0; i < number; i++) {
    level.texels += uint64_t{level.width} * level.height * texel_bytes;
    level.width = halved(level.width);
    level.height = halved(level.height);
  }
  return level;
}

// The two texels that a coordinate, 0 to 1, lies between, and the second one's share.
struct Between {
  uint32_t first, second;
  float share;
};

DEVICE Between between_texels(float coordinate, uint32_t size, uint32_t edge) {
  const float place = coordinate * static_cast<float>(static_cast<int>(size)) - 0.5f;
  const float whole = floorf(place);
  const int first = static_cast<int>(whole), last = static_cast<int>(size) - 1;
  const bool wraps = edge == EDGE_WRAPPED;
  const int before = first < 0 ? (wraps ? last : 0) : (first > last ? last : first);
  const int after = first + 1 > last ? (wraps ? 0 : last) : first + 1;
  return {static_cast<uint32_t>(before), static_cast<uint32_t>(after), place - whole};
}

DEVICE Float4 bilinear(const ImageTable& table, const Image& image, uint32_t number, Float2 at,
                       ImageEdges edges) {
  const MipLevel level = mip_level(table, image, number);
  const Between x = between_texels(at.x, level.width, edges.x),
                y = between_texels(at.y, level.height, edges.y);
  const auto texel = [&](uint32_t column, uint32_t row) {
    const uint32_t index = row * level.width + column;
    return image.kind == TEXEL_HALF ? half_texel(image, level.texels, index)
                                    : byte_texel(table, image, level.texels, index);
  };
  return mix(mix(texel(x.first, y.first), texel(x.second, y.first), x.share),
             mix(texel(x.first, y.second), texel(x.second, y.second), x.share), y.share);
}

// What is seen at a point, 0 to 1 from the lower left corner, by a sample that is `footprint` wide
// there. The level is the one whose texels are as wide, as for mip maps since Williams 1983.
DEVICE Float4 image_at(const ImageTable& table, const Image& image, Float2 at, float footprint,
                       ImageEdges edges) {
  const float size = sqrtf(static_cast<float>(static_cast<int>(image.width)) *
                           static_cast<float>(static_cast<int>(image.height)));
  const float texels = footprint * size;
  if (!(texels > 1.0f) || image.level_count == 1) return bilinear(table, image, 0, at, edges);
  const float last = static_cast<float>(static_cast<int>(image.level_count - 1));
  const float level = minimum(logarithm2(minimum(texels, 1e30f)), last);
  const float whole = floorf(level);
  const auto first = static_cast<uint32_t>(static_cast<int>(whole));
  const Float4 finer = bilinear(table, image, first, at, edges);
  if (level == whole) return finer;
  return mix(finer, bilinear(table, image, first + 1, at, edges), level - whole);
}
