#include "mesh_parts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../thread_pool.h"
#include "placed_triangles.h"

namespace {

// Parts along each axis. Boxes of turned balls have 1.4 times the surface of the tightest ones then,
// by the mesh's own box 2.2 times, by eight parts a side 1.2 times: too little for five times the work.
constexpr int SIDE = 4;
// Triangles that one thread reads at a time.
constexpr uint32_t PIECE = 1u << 14;
// Roundings of an object ray and of the box itself, relative to the terms of the transform.
constexpr double PADDING = 2e-6;

typedef double Double4 __attribute__((vector_size(32)));

using Cells = std::array<Box, SIDE * SIDE * SIDE>;

// The cell of a triangle by the centre of its box.
class Grid {
 public:
  explicit Grid(const Box& whole) : origin_(all_lanes<4>(0.0f) - whole.negated_lows()), scale_{} {
    const Lanes<4> extent = whole.extent();
    for (int a = 0; a < 3; a++)
      if (extent[a] > 0.0f) scale_.v[a] = std::min(SIDE * 0.9999f / extent[a], FLT_MAX);
  }
  int cell(const Box& box) const {
    const Lanes<4> place = (box.centre_twice() * all_lanes<4>(0.5f) - origin_) * scale_;
    const auto along = [&](int a) { return std::clamp(static_cast<int>(place[a]), 0, SIDE - 1); };
    return (along(2) * SIDE + along(1)) * SIDE + along(0);
  }

 private:
  Lanes<4> origin_, scale_;
};

Double4 column_of(const Transform& m, int column) {
  const auto at = [&](int row) { return static_cast<double>(m.rows[row][column]); };
  const Double4 result = {at(0), at(1), at(2), 0.0};
  return result;
}

Double4 least_of(Double4 a, Double4 b) { return a < b ? a : b; }
Double4 most_of(Double4 a, Double4 b) { return a < b ? b : a; }

}  // namespace

MeshParts::MeshParts(const SceneView& scene, uint32_t mesh, const Box& whole, unsigned threads,
                     Monitor& monitor)
    : whole_(whole) {
  const uint32_t count = scene.meshes[mesh].triangle_count;
  const Grid grid(whole);
  std::vector<Cells> pieces((count + PIECE - 1) / PIECE);
  parallel_for(static_cast<uint32_t>(pieces.size()), 1, threads, [&](uint32_t i) {
    monitor.advance(0);
    const TriangleReader reader(scene, {mesh, {}}, 0);
    const uint32_t end = std::min((i + 1) * PIECE, count);
    for (uint32_t triangle = i * PIECE; triangle < end; triangle++) {
      const Box box = reader.read(triangle).box();
      pieces[i][grid.cell(box)].include(box);
    }
  });
  for (int cell = 0; cell < SIDE * SIDE * SIDE; cell++) {
    Box part;
    for (const Cells& cells : pieces) part.include(cells[cell]);
    if (part.low(0) <= part.high(0)) parts_.push_back(part);
  }
}

Box MeshParts::world_box(const Transform& m) const {
  const Double4 column[3] = {column_of(m, 0), column_of(m, 1), column_of(m, 2)};
  const Double4 offset = column_of(m, 3), none = {};
  // Of the mesh, not of its parts: a ray rounds what it computes of the mesh.
  Double4 size = most_of(offset, none - offset);
  for (int j = 0; j < 3; j++) {
    const float reach = std::max(std::fabs(whole_.low(j)), std::fabs(whole_.high(j)));
    size += most_of(column[j], none - column[j]) * static_cast<double>(reach);
  }
  Double4 least = none + HUGE_VAL, most = none - HUGE_VAL;
  for (const Box& part : parts_) {
    Double4 low = offset, high = offset;
    for (int j = 0; j < 3; j++) {
      const Double4 a = column[j] * static_cast<double>(part.low(j)),
                    b = column[j] * static_cast<double>(part.high(j));
      low += least_of(a, b);
      high += most_of(a, b);
    }
    least = least_of(least, low);
    most = most_of(most, high);
  }
  Box world = Box::at({__builtin_convertvector(least - size * PADDING, Vector<4>::type)});
  world.include(Box::at({__builtin_convertvector(most + size * PADDING, Vector<4>::type)}));
  return world;
}
