// The parameters of every shader, under the shader's public name. A shader in the list without a
// description here does not compile.
#pragma once
#include "../shaders.cuh"
#include "describe.h"
#include "kind_layouts.h"

inline Layout layout_of(const Lambert*) {
  return DESCRIBE(Lambert, "lambert", FIELD(Lambert, reflectance));
}
inline Layout layout_of(const Phong*) {
  return DESCRIBE(Phong, "phong", FIELD(Phong, diffuse), FIELD(Phong, specular),
                  FIELD(Phong, exponent));
}
inline Layout layout_of(const Mirror*) {
  return DESCRIBE(Mirror, "mirror", FIELD(Mirror, reflectance));
}
inline Layout layout_of(const Glass*) {
  return DESCRIBE(Glass, "glass", FIELD(Glass, ior), FIELD(Glass, reflection),
                  FIELD(Glass, transmission), FIELD(Glass, absorption));
}
inline Layout layout_of(const Conductor*) {
  return DESCRIBE(Conductor, "conductor", FIELD(Conductor, f0), FIELD(Conductor, f90),
                  FIELD(Conductor, alpha));
}
inline Layout layout_of(const Architectural*) {
  return DESCRIBE(Architectural, "architectural", FIELD(Architectural, diffuse),
                  FIELD(Architectural, reflection), FIELD(Architectural, r0),
                  FIELD(Architectural, r90), FIELD(Architectural, curve),
                  FIELD(Architectural, alpha), FIELD(Architectural, transmission),
                  FIELD(Architectural, ior), FIELD(Architectural, thin_walled));
}

// In the order of ids.
inline std::vector<Layout> shader_layouts() {
  return layouts_of(static_cast<const Shaders*>(nullptr));
}
