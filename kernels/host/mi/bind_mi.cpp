// The Python module of the scene reader: numbers and rows of text, and binary data, to arrays.
//
// A `text` is anything with a buffer of bytes; `at` is an offset in it. What is read ends before
// the first thing that is not plain, and the last item returned is where. `report` is called with
// the offset about every 4 MiB of text and ends the reading by raising. The interpreter is free
// meanwhile.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "../records.h"
#include "fans.h"
#include "rows.h"
#include "runs.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, class... Rest>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu, Rest...>;

// Calls Python from where it is free for others.
std::function<void(size_t)> report_to(const nb::object& report) {
  return [&report](size_t offset) {
    const nb::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!report.is_none()) report(offset);
  };
}

// A buffer held while it is read.
struct HeldText {
  Records<char> bytes;
  Text text;
  HeldText(const nb::object& buffer, size_t at, const nb::object& report)
      : bytes("text", buffer), text(bytes.data(), bytes.size(), at, report_to(report)) {}
};

// The elements as an array [N], or [N / columns, columns], that owns them.
template <class T>
nb::object array_of(Growing<T>& elements, size_t columns = 1) {
  const size_t size = elements.size();
  T* const data = elements.release();
  const nb::capsule owner(data, [](void* p) noexcept { std::free(p); });
  if (columns == 1) return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(data, {size}, owner));
  return nb::cast(
      nb::ndarray<nb::numpy, T, nb::ndim<2>>(data, {size / columns, columns}, owner));
}

// Names as bytes, labels as int, None for what was in force before.
nb::list list_of(const Slots& materials) {
  nb::list result;
  for (const Slots::Slot& slot : materials.all()) {
    if (slot.kind == Slots::Kind::CARRIED) result.append(nb::none());
    if (slot.kind == Slots::Kind::NAME) result.append(nb::bytes(slot.name.data(), slot.name.size()));
    if (slot.kind == Slots::Kind::LABEL) result.append(slot.label);
  }
  return result;
}

template <class T>
nb::tuple fill(const nb::object& text, size_t at, Array<T, nb::ndim<1>> out,
               const nb::object& report) {
  HeldText held(text, at, report);
  size_t count;
  {
    const nb::gil_scoped_release unlocked;
    count = read_numbers(held.text, out.data(), out.size());
  }
  return nb::make_tuple(count, held.text.offset());
}

template <class T>
nb::tuple run(const nb::object& text, size_t at, const nb::object& report) {
  HeldText held(text, at, report);
  Growing<T> found;
  {
    const nb::gil_scoped_release unlocked;
    read_run(held.text, found);
  }
  return nb::make_tuple(array_of(found), held.text.offset());
}

nb::tuple binary_vectors(const nb::object& text, size_t at, const nb::object& report) {
  HeldText held(text, at, report);
  Growing<float> found;
  {
    const nb::gil_scoped_release unlocked;
    read_binary_vectors(held.text, found);
  }
  return nb::make_tuple(array_of(found, 3), held.text.offset());
}

nb::tuple vertices(const nb::object& text, size_t at, int32_t vector_count,
                   const nb::object& report) {
  HeldText held(text, at, report);
  Growing<int32_t> rows;
  {
    const nb::gil_scoped_release unlocked;
    read_vertices(held.text, vector_count, rows);
  }
  return nb::make_tuple(array_of(rows, 3), held.text.offset());
}

nb::tuple polygons(const nb::object& text, size_t at, int32_t vertex_count, int32_t most_corners,
                   bool tagged, const nb::object& report) {
  HeldText held(text, at, report);
  Polygons found;
  {
    const nb::gil_scoped_release unlocked;
    read_polygons(held.text, {vertex_count, most_corners, tagged}, found);
  }
  return nb::make_tuple(array_of(found.corners), array_of(found.lengths), array_of(found.slots),
                        list_of(found.materials), held.text.offset());
}

nb::tuple triangles(const nb::object& text, size_t at,
                    Array<int32_t, nb::shape<-1, 3>> corners, Array<int32_t, nb::ndim<1>> slots,
                    int32_t vertex_count, bool tagged, const nb::object& report) {
  if (corners.shape(0) != slots.size()) throw std::invalid_argument("as many corners as slots");
  HeldText held(text, at, report);
  Slots materials;
  size_t count;
  {
    const nb::gil_scoped_release unlocked;
    count = read_triangles(
        held.text, {corners.data(), slots.data(), slots.size(), vertex_count, tagged}, materials);
  }
  return nb::make_tuple(count, list_of(materials), held.text.offset());
}

// The bytes of `count` words from an offset on.
const char* words_at(const Records<char>& bytes, size_t at, size_t count) {
  if (at > bytes.size() || (bytes.size() - at) / 4 < count)
    throw std::invalid_argument("the binary data ends beyond the text");
  return bytes.data() + at;
}

void binary_floats(const nb::object& text, size_t at, Array<float, nb::ndim<1>> out) {
  const Records<char> bytes("text", text);
  const char* const data = words_at(bytes, at, out.size());
  const nb::gil_scoped_release unlocked;
  take_floats(data, out.data(), out.size());
}

void binary_indices(const nb::object& text, size_t at, uint32_t limit,
                    Array<uint32_t, nb::ndim<1>> out) {
  const Records<char> bytes("text", text);
  const char* const data = words_at(bytes, at, out.size());
  const nb::gil_scoped_release unlocked;
  take_indices(data, out.data(), out.size(), limit);
}

nb::object fans(Array<const float, nb::shape<-1, 3>> positions,
                Array<const int32_t, nb::ndim<1>> corners,
                Array<const int32_t, nb::ndim<1>> lengths,
                Array<int32_t, nb::shape<-1, 3>> triangles, const nb::object& report) {
  const PolygonArrays polygons{positions.data(), positions.shape(0), corners.data(),
                               corners.size(),   lengths.data(),     lengths.size()};
  check(polygons, triangles.shape(0));
  Growing<int64_t> concave;
  {
    const nb::gil_scoped_release unlocked;
    fan(polygons, triangles.data(), concave, report_to(report));
  }
  return array_of(concave);
}

}  // namespace

NB_MODULE(_scene_reader, module) {
  const auto none = nb::none();
  module.def("fill", &fill<float>, "text"_a, "at"_a, "out"_a.noconvert(), "report"_a = none);
  module.def("fill", &fill<double>, "text"_a, "at"_a, "out"_a.noconvert(), "report"_a = none,
             "Up to len(out) numbers into float32, float64 or int32: (how many, end).");
  module.def("fill", &fill<int32_t>, "text"_a, "at"_a, "out"_a.noconvert(), "report"_a = none);
  module.def("floats", &run<float>, "text"_a, "at"_a, "report"_a = none,
             "All numbers from here: (float32 [N], end).");
  module.def("integers", &run<int32_t>, "text"_a, "at"_a, "report"_a = none,
             "All integers from here: (int32 [N], end).");
  module.def("binary_vectors", &binary_vectors, "text"_a, "at"_a, "report"_a = none,
             "Vectors of 12 bytes between back quotes: (float32 [N, 3], end).");
  module.def("vertices", &vertices, "text"_a, "at"_a, "vector_count"_a, "report"_a = none,
             "Rows of a group: (position, normal, texture: int32 [N, 3], -1 for none; end).");
  module.def("polygons", &polygons, "text"_a, "at"_a, "vertex_count"_a, "most_corners"_a,
             "tagged"_a, "report"_a = none,
             "Rows of a group: (corners int32 [C], lengths int32 [P], slots int32 [P], materials of "
             "slots, end).");
  module.def("triangles", &triangles, "text"_a, "at"_a, "corners"_a.noconvert(),
             "slots"_a.noconvert(), "vertex_count"_a, "tagged"_a, "report"_a = none,
             "Triangles of a trilist into int32 [N, 3] and [N]: (how many, materials of slots, end).");
  module.def("binary_floats", &binary_floats, "text"_a, "at"_a, "out"_a.noconvert(),
             "32-bit floats of either byte order.");
  module.def("binary_indices", &binary_indices, "text"_a, "at"_a, "limit"_a, "out"_a.noconvert(),
             "32-bit indices of either byte order into uint32.");
  module.def("fans", &fans, "positions"_a.noconvert(), "corners"_a.noconvert(),
             "lengths"_a.noconvert(), "triangles"_a.noconvert(), "report"_a = none,
             "Fans of polygons into int32 [T, 3]; returns the numbers of those that are concave.");
}
