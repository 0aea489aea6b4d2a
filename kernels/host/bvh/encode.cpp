#include "encode.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace {

constexpr float EMPTY_PLANE = 1e12f;

// Quanta that a compressed box is larger than the box it holds: covers the roundings of decoding.
constexpr double MARGIN = 1.0 / 64;

// Exponents of float_of((exponent + 15) << 23), biased by 127; the least is far below any box that
// floats can tell from a point.
constexpr int MIN_EXPONENT = -100, MAX_EXPONENT = 100;

// The grid of one axis: 256 planes origin + q * 2^exponent.
struct Grid {
  float origin;
  int exponent;
  double per_unit = std::ldexp(1.0, -exponent);

  double place(float plane) const {
    return (static_cast<double>(plane) - static_cast<double>(origin)) * per_unit;
  }
  uint8_t below(float plane) const {
    return static_cast<uint8_t>(std::clamp(std::floor(place(plane) - MARGIN), 0.0, 255.0));
  }
  uint8_t above(float plane) const {
    return static_cast<uint8_t>(std::clamp(std::ceil(place(plane) + MARGIN), 0.0, 255.0));
  }
};

// The finest grid that holds low to high with the margin at both ends.
Grid grid_over(float low, float high) {
  const float extent = high - low;
  if (extent <= 0.0f) return {low, MIN_EXPONENT};
  int exponent;
  std::frexp(extent / 255.0f, &exponent);
  exponent = std::max(exponent - 1, MIN_EXPONENT);
  const double start = static_cast<double>(low) - std::ldexp(2.0 * MARGIN, exponent);
  Grid grid = {static_cast<float>(start), exponent};
  if (grid.place(low) < MARGIN) grid.origin = std::nextafter(grid.origin, -FLT_MAX);
  while (std::ceil(grid.place(high) + MARGIN) > 255.0 && grid.exponent < MAX_EXPONENT) {
    grid.exponent++;
    grid.per_unit *= 0.5;
  }
  return grid;
}

}  // namespace

void encode(const NodeContents& contents, FloatNode& node) {
  std::memset(&node, 0, sizeof(node));
  for (int s = 0; s < 8; s++) {
    const bool used = (contents.inner | contents.leaf) >> s & 1;
    for (int a = 0; a < 3; a++) {
      node.planes[2 * a][s] = used ? contents.box[s].low(a) : EMPTY_PLANE;
      node.planes[2 * a + 1][s] = used ? contents.box[s].high(a) : -EMPTY_PLANE;
    }
    // A leaf of nothing: harmless where a far away ray's slack lets the empty slot pass.
    node.child[s] = used ? contents.child[s] : leaf_word(0, 0);
  }
}

void encode(const NodeContents& contents, CompressedNode& node) {
  std::memset(&node, 0, sizeof(node));
  node.inner = contents.inner;
  node.first_child = contents.first_child;
  node.first_entry = contents.first_entry;
  const uint8_t used = contents.inner | contents.leaf;
  Box whole;
  for (int s = 0; s < 8; s++)
    if (used >> s & 1) whole.include(contents.box[s]);
  for (int a = 0; a < 3; a++) {
    const Grid grid = grid_over(whole.low(a), whole.high(a));
    node.origin[a] = grid.origin;
    node.exponent[a] = static_cast<uint8_t>(grid.exponent + 127);
    for (int s = 0; s < 8; s++) {
      node.planes[2 * a][s] = used >> s & 1 ? grid.below(contents.box[s].low(a)) : 255;
      node.planes[2 * a + 1][s] = used >> s & 1 ? grid.above(contents.box[s].high(a)) : 0;
    }
  }
  for (int s = 0; s < 8; s++) {
    if (!(contents.leaf >> s & 1)) continue;
    const uint32_t offset = leaf_first(contents.child[s]) - contents.first_entry;
    node.leaf[s] = static_cast<uint8_t>(offset << 3 | leaf_count(contents.child[s]));
  }
}

NodeContents contents_of(const FloatNode& node) {
  NodeContents contents = {};
  for (int s = 0; s < 8; s++) {
    const uint32_t child = contents.child[s] = node.child[s];
    const auto bit = static_cast<uint8_t>(1u << s);
    if (!is_leaf(child))
      contents.inner |= bit;
    else if (leaf_count(child))
      contents.leaf |= bit;
  }
  return contents;
}

NodeContents contents_of(const CompressedNode& node) {
  NodeContents contents = {};
  contents.inner = node.inner;
  contents.first_child = node.first_child;
  contents.first_entry = node.first_entry;
  uint32_t next_child = node.first_child;
  for (int s = 0; s < 8; s++) {
    if (node.inner >> s & 1) {
      contents.child[s] = next_child++;
    } else if (node.leaf[s] & 7) {
      contents.child[s] = leaf_word(node.first_entry + (node.leaf[s] >> 3), node.leaf[s] & 7u);
      contents.leaf |= static_cast<uint8_t>(1u << s);
    }
  }
  return contents;
}

void relocate(FloatNode& node, uint32_t first_node, uint32_t first_entry) {
  for (uint32_t& child : node.child)
    if (!is_leaf(child))
      child += first_node;
    else if (leaf_count(child))
      child += first_entry;
}

void relocate(CompressedNode& node, uint32_t first_node, uint32_t first_entry) {
  node.first_child += first_node;
  node.first_entry += first_entry;
}
