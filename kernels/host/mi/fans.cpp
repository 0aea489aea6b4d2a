#include "fans.h"

#include <stdexcept>

namespace {

// What a corner may turn right and still count as flat, of the polygon's area: 32-bit rounding.
constexpr double FLATNESS = 1e-6;

struct Vector {
  double x, y, z;
};
Vector operator-(Vector a, Vector b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
Vector cross(Vector a, Vector b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

class Loop {
 public:
  Loop(const float* positions, const int32_t* corners, int32_t length)
      : positions_(positions), corners_(corners), length_(length) {}

  // Newell's normal: its length is twice the area, for any planar or nearly planar loop.
  Vector normal() const {
    Vector sum{0, 0, 0};
    for (int32_t i = 0; i < length_; i++) sum = sum + at(i);
    const Vector centre{sum.x / length_, sum.y / length_, sum.z / length_};
    Vector normal{0, 0, 0};
    for (int32_t i = 0; i < length_; i++)
      normal = normal + cross(at(i) - centre, at((i + 1) % length_) - centre);
    return normal;
  }

  // Whether every corner turns left and the loop goes round once.
  bool is_convex() const {
    if (length_ == 3) return true;
    const Vector n = normal();
    const double least = -FLATNESS * dot(n, n);
    for (int32_t i = 0; i < length_; i++) {
      const Vector here = at(i), after = at((i + 1) % length_);
      if (!(dot(cross(here - at((i + length_ - 1) % length_), after - here), n) >= least)) return false;
    }
    // A star turns left everywhere but goes round more than once: some fan triangle is reversed.
    for (int32_t i = 1; i + 1 < length_; i++)
      if (!(dot(cross(at(i) - at(0), at(i + 1) - at(0)), n) >= least)) return false;
    return true;
  }

 private:
  Vector at(int32_t corner) const {
    const float* p = positions_ + 3 * static_cast<size_t>(corners_[corner]);
    return {double(p[0]), double(p[1]), double(p[2])};
  }

  const float* positions_;
  const int32_t* corners_;
  int32_t length_;
};

}  // namespace

void check(const PolygonArrays& polygons, size_t triangle_count) {
  size_t corners = 0, triangles = 0;
  for (size_t p = 0; p < polygons.count; p++) {
    if (polygons.lengths[p] < 3) throw std::invalid_argument("a polygon needs 3 corners");
    corners += static_cast<size_t>(polygons.lengths[p]);
    triangles += static_cast<size_t>(polygons.lengths[p]) - 2;
  }
  if (corners != polygons.corner_count || triangles != triangle_count)
    throw std::invalid_argument("the lengths do not fit the corners or the triangles");
  for (size_t c = 0; c < corners; c++)
    if (static_cast<uint32_t>(polygons.corners[c]) >= polygons.vertex_count)
      throw std::invalid_argument("a corner does not exist");
}

void fan(const PolygonArrays& polygons, int32_t* triangles, Growing<int64_t>& concave,
         const std::function<void(size_t)>& tick) {
  constexpr size_t INTERVAL = 1 << 18;
  const int32_t* corners = polygons.corners;
  for (size_t p = 0; p < polygons.count; p++) {
    const int32_t length = polygons.lengths[p];
    if (p % INTERVAL == 0) tick(p);
    if (!Loop(polygons.positions, corners, length).is_convex())
      concave.push(static_cast<int64_t>(p));
    for (int32_t i = 1; i + 1 < length; i++) {
      *triangles++ = corners[0];
      *triangles++ = corners[i];
      *triangles++ = corners[i + 1];
    }
    corners += length;
  }
}
