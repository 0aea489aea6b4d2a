// A perfect mirror.
#pragma once
#include "shader.cuh"

struct Mirror {
  Float3 reflectance;

  DEVICE Evaluation evaluate(const Incidence&, Float3) const { return no_light(); }

  DEVICE Scattering sample(const Incidence& at, Float2) const {
    return specular(mirrored(at.outgoing), reflectance);
  }
};
