// layouts() -> {name: (size, alignment, [(field, kind, element_size, count, offset, structure)])}
#include <nanobind/stl/string.h>

#include "describe.h"
#include "layouts.h"
#include "module.h"

namespace nb = nanobind;

static nb::dict layouts() {
  nb::dict result;
  for (const Layout& layout : all_layouts()) {
    nb::list fields;
    for (const Field& f : layout.fields)
      fields.append(nb::make_tuple(f.name, std::string(1, f.kind), f.element_size, f.count,
                                   f.offset, f.structure));
    result[layout.name.c_str()] = nb::make_tuple(layout.size, layout.alignment, fields);
  }
  return result;
}

void bind_layouts(nb::module_& module) {
  module.def("layouts", &layouts, "Layout of every struct that Python fills.");
}
