#include "rows.h"

#include "number.h"

namespace {

// Longer strings are refused by whoever reads token by token.
constexpr size_t LONGEST_NAME = 1 << 20;

// Goes past an integer, if one comes next.
bool take_integer(Text& text, int32_t& value) {
  text.skip_space();
  const char* const after = parse_integer(text.at, text.end, value);
  if (after) text.at = after;
  return after;
}

// Goes past an integer from 0 to `limit` - 1.
bool take_index(Text& text, int32_t limit, int32_t& value) {
  return take_integer(text, value) && value >= 0 && value < limit;
}

// Goes past "name" without escapes; the quotes are not part of it.
bool take_string(Text& text, std::string_view& name) {
  const char* const first = text.at + 1;
  for (const char* p = first; p != text.end; ++p) {
    if (*p == '\\') return false;
    if (*p != '"') continue;
    name = {first, static_cast<size_t>(p - first)};
    text.at = p + 1;
    return name.size() <= LONGEST_NAME;
  }
  return false;
}

void skip_word(Text& text) { text.at += text.word().size(); }

// Whether what follows a row is a keyword, so that the row is complete.
bool ends_row(std::string_view word) {
  for (const char* goes_on : {"hole", "cusp", "conic", "corner", "dart", "level"})
    if (word == goes_on) return false;
  return !word.empty();
}

bool read_vertex(Text& text, int32_t vector_count, int32_t* row) {
  int32_t ignored;
  row[1] = row[2] = -1;
  if (text.word() != "v") return false;
  skip_word(text);
  if (!take_index(text, vector_count, row[0])) return false;
  for (;;) {
    text.skip_space();
    const std::string_view word = text.word();
    const char kind = word.size() == 1 ? word[0] : '\0';
    if (kind != 'n' && kind != 't' && kind != 'd' && kind != 'm' && kind != 'u') {
      return ends_row(word);
    }
    skip_word(text);
    const bool is_first_uv = kind == 't' && row[2] < 0;
    int32_t& wanted = kind == 'n' ? row[1] : is_first_uv ? row[2] : ignored;
    if (!take_index(text, vector_count, wanted)) return false;
    if (kind != 't' && kind != 'd') continue;
    while (take_integer(text, ignored))
      if (ignored < 0 || ignored >= vector_count) return false;
  }
}

// Goes past the material of a row: its label if it is tagged, else a name in quotes or, in a
// trilist, without. `slot` stays where none is written. False if it is not plain.
bool take_material(Text& text, bool tagged, bool words_too, int32_t& slot, Slots& materials) {
  int32_t label;
  std::string_view name;
  if (tagged) {
    if (!take_index(text, INT32_MAX, label)) return false;
    slot = materials.of_label(label);
    return true;
  }
  text.skip_space();
  if (words_too) name = text.word();
  if (!name.empty()) {
    skip_word(text);
  } else if (text.head() != '"') {
    return true;
  } else if (!take_string(text, name)) {
    return false;
  }
  slot = materials.of_name(name);
  return true;
}

bool read_polygon(Text& text, const PolygonRules& rules, int32_t& slot, Polygons& polygons) {
  const std::string_view word = text.word();
  if (word != "p" && word != "c" && word != "cp") return false;
  skip_word(text);
  if (!take_material(text, rules.tagged, false, slot, polygons.materials)) return false;
  const size_t first = polygons.corners.size();
  for (int32_t corner; take_integer(text, corner);) {
    if (corner < 0 || corner >= rules.vertex_count) return false;
    polygons.corners.push(corner);
  }
  const size_t length = polygons.corners.size() - first;
  if (length < 3 || length > static_cast<size_t>(rules.most_corners)) return false;
  if (!ends_row(text.word())) return false;
  if (slot < 0) slot = polygons.materials.of_carried();
  polygons.lengths.push(static_cast<int32_t>(length));
  polygons.slots.push(slot);
  return true;
}

bool read_triangle(Text& text, const TriangleRows& rows, size_t index, int32_t& slot,
                   Slots& materials) {
  if (!take_material(text, rows.tagged, true, slot, materials)) return false;
  for (size_t corner = 0; corner < 3; corner++)
    if (!take_index(text, rows.vertex_count, rows.corners[3 * index + corner])) return false;
  if (slot < 0) slot = materials.of_carried();
  rows.slots[index] = slot;
  return true;
}

}  // namespace

int32_t Slots::add(Slot slot) {
  slots_.push_back(slot);
  return static_cast<int32_t>(slots_.size()) - 1;
}

int32_t Slots::of_name(std::string_view name) {
  // Neighbours are mostly of one material.
  if (last_ >= 0 && slots_[static_cast<size_t>(last_)].name == name) return last_;
  const auto [found, is_new] = names_.try_emplace(name, 0);
  if (is_new) found->second = add({Kind::NAME, name, 0});
  return last_ = found->second;
}

int32_t Slots::of_label(int32_t label) {
  if (last_ >= 0 && slots_[static_cast<size_t>(last_)].label == label) return last_;
  const auto [found, is_new] = labels_.try_emplace(label, 0);
  if (is_new) found->second = add({Kind::LABEL, {}, label});
  return last_ = found->second;
}

int32_t Slots::of_carried() {
  if (carried_ < 0) carried_ = add({Kind::CARRIED, {}, 0});
  return carried_;
}

void read_vertices(Text& text, int32_t vector_count, Growing<int32_t>& rows) {
  for (;;) {
    text.tick();
    text.skip_space();
    const char* const start = text.at;
    int32_t row[3];
    if (!read_vertex(text, vector_count, row)) {
      text.at = start;
      return;
    }
    for (const int32_t index : row) rows.push(index);
  }
}

void read_polygons(Text& text, const PolygonRules& rules, Polygons& polygons) {
  for (int32_t slot = -1;;) {
    text.tick();
    text.skip_space();
    const char* const start = text.at;
    const size_t corners = polygons.corners.size();
    if (!read_polygon(text, rules, slot, polygons)) {
      text.at = start;
      polygons.corners.resize(corners);
      return;
    }
  }
}

size_t read_triangles(Text& text, const TriangleRows& rows, Slots& materials) {
  int32_t slot = -1;
  for (size_t i = 0; i < rows.count; i++) {
    text.tick();
    text.skip_space();
    const char* const start = text.at;
    if (!read_triangle(text, rows, i, slot, materials)) {
      text.at = start;
      return i;
    }
  }
  return rows.count;
}
