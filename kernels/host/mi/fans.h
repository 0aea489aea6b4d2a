// Polygons to triangles, where a fan from the first corner is right.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "growing.h"

struct PolygonArrays {
  const float* positions;  // [vertex_count, 3]
  size_t vertex_count;
  const int32_t* corners;  // of all polygons, one after the other
  size_t corner_count;
  const int32_t* lengths;  // [count]
  size_t count;
};

// Throws std::invalid_argument unless every polygon has 3 corners or more, the corners exist, and
// the fans are `triangle_count` triangles.
void check(const PolygonArrays& polygons, size_t triangle_count);

// Writes the corners less two triangles of every polygon to `triangles`, in order, and the numbers
// of those that are not convex, whose triangles are for the caller to replace. `tick` is called
// now and then with the number of polygons that are done.
void fan(const PolygonArrays& polygons, int32_t* triangles, Growing<int64_t>& concave,
         const std::function<void(size_t)>& tick);
