// The plain rows of groups and trilists, which are most of a scene's text.
#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "growing.h"
#include "text.h"

// Materials of rows, as their rows name them, in the order of their first use: a name, a label, or
// what was in force before the first row.
class Slots {
 public:
  enum class Kind : uint8_t { CARRIED, NAME, LABEL };
  struct Slot {
    Kind kind;
    std::string_view name;
    int32_t label;
  };

  int32_t of_name(std::string_view name);
  int32_t of_label(int32_t label);
  int32_t of_carried();
  const std::vector<Slot>& all() const { return slots_; }

 private:
  int32_t add(Slot slot);

  std::vector<Slot> slots_;
  std::unordered_map<std::string_view, int32_t> names_;
  std::unordered_map<int32_t, int32_t> labels_;
  int32_t carried_ = -1, last_ = -1;
};

// Each reads as many rows as it can, and leaves `text` before the first that is not plain: of
// another form, with an index that does not exist, or at the end of the text, which may be that of
// an included file in the middle of a row.

// vertex = "v" i ["n" i] ["t" i]; 3 numbers a row, indices below `vector_count` or -1. Other
// indices are checked and left out: derivatives, motion vectors, further texture coordinates.
void read_vertices(Text& text, int32_t vector_count, Growing<int32_t>& rows);

struct Polygons {
  Growing<int32_t> corners, lengths, slots;
  Slots materials;
};
// What the corners of polygons may be, and whether each begins with a label.
struct PolygonRules {
  int32_t vertex_count, most_corners;
  bool tagged;
};
// polygon = ("p" | "c" | "cp") [material | label] i i i {i}
void read_polygons(Text& text, const PolygonRules& rules, Polygons& polygons);

struct TriangleRows {
  int32_t* corners;  // [count, 3]
  int32_t* slots;    // [count]
  size_t count;
  int32_t vertex_count;
  bool tagged;
};
// triangle = [material] i i i, or label i i i; returns how many were read. Each name holds for the
// triangles after it.
size_t read_triangles(Text& text, const TriangleRows& rows, Slots& materials);
