// A matt surface: light leaves evenly in all directions. The smallest shader; start from a copy.
#pragma once
#include "../warps.cuh"
#include "shader.cuh"

struct Lambert {
  Float3 reflectance;  // share of the light, 0 to 1

  DEVICE Evaluation evaluate(const Incidence&, Float3 incoming) const {
    const float pdf = cosine_hemisphere_pdf(incoming);
    return {reflectance * pdf, pdf};
  }

  DEVICE Scattering sample(const Incidence&, Float2 u) const {
    const Float3 incoming = cosine_hemisphere(u);
    return {incoming, reflectance, cosine_hemisphere_pdf(incoming)};
  }
};
