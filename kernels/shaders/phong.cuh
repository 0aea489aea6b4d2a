// Lambert and a lobe around the mirror direction, normalised so that no more leaves than arrives.
// Lafortune and Willems 1994, "Using the Modified Phong Reflectance Model for Physically Based
// Rendering".
#pragma once
#include "../warps.cuh"
#include "shader.cuh"

struct Phong {
  Float3 diffuse, specular;
  float exponent;

  DEVICE Evaluation evaluate(const Incidence& at, Float3 incoming) const {
    if (incoming.z <= 0.0f) return no_light();
    const float cosine = dot(mirrored(at.outgoing), incoming);
    const float lobe = power_cosine_pdf(cosine, exponent);  // (n + 2) / (n + 1) of it is the BRDF
    const float matt = cosine_hemisphere_pdf(incoming), p = diffuse_probability();
    const float to_brdf = (exponent + 2.0f) / (exponent + 1.0f) * incoming.z;
    return {(diffuse * matt + specular * (lobe * to_brdf)) * conserving(),
            p * matt + (1.0f - p) * lobe};
  }

  DEVICE Scattering sample(const Incidence& at, Float2 u) const {
    const bool matt = choose(diffuse_probability(), u.x);
    const Float3 incoming =
        matt ? cosine_hemisphere(u)
             : to_world(frame_around(mirrored(at.outgoing)), power_cosine(u, exponent));
    return evaluated(*this, at, incoming);
  }

 private:
  // Files often ask for more than all: both parts are then scaled down.
  DEVICE float conserving() const { return 1.0f / maximum(1.0f, max_component(diffuse + specular)); }
  DEVICE float diffuse_probability() const {
    const float d = max_component(diffuse), s = max_component(specular);
    return d + s > 0.0f ? d / (d + s) : 1.0f;
  }
};
