// Metal, polished or rough.
#pragma once
#include "fresnel.cuh"
#include "ggx.cuh"
#include "shader.cuh"

struct Conductor {
  Float3 f0, f90;  // reflectance face on and at grazing angle
  float alpha;     // GGX width; 0: a mirror

  DEVICE Evaluation evaluate(const Incidence& at, Float3 incoming) const {
    if (alpha < SMOOTH_ALPHA) return no_light();
    const GgxLobe lobe = ggx_evaluate(at.outgoing, incoming, alpha);
    return {schlick(f0, f90, lobe.cos_half) * lobe.value, lobe.pdf};
  }

  DEVICE Scattering sample(const Incidence& at, Float2 u) const {
    if (alpha < SMOOTH_ALPHA)
      return specular(mirrored(at.outgoing), schlick(f0, f90, at.outgoing.z));
    return evaluated(*this, at, ggx_sample(at.outgoing, u, alpha));
  }
};
