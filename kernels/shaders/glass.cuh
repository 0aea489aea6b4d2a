// Smooth glass: the normal points out of it. Light is dimmed inside by Beer's law, reckoned where a
// path meets the surface from inside; a path that ends on something enclosed is not dimmed.
// Shadow rays take glass for opaque: its light arrives along paths that refract.
#pragma once
#include "fresnel.cuh"
#include "shader.cuh"

struct Glass {
  float ior;  // inside over outside
  Float3 reflection, transmission;
  Float3 absorption;  // per unit length

  DEVICE Evaluation evaluate(const Incidence&, Float3) const { return no_light(); }

  DEVICE Scattering sample(const Incidence& at, Float2 u) const {
    const Interface face = interface_at(at.outgoing, at.front ? ior : 1.0f / ior);
    const Float3 reflected = reflection * face.reflectance;
    const Float3 refracted = transmission * (1.0f - face.reflectance);
    const float r = max_component(reflected), t = max_component(refracted);
    if (r + t <= 0.0f) return absorbed();
    const float p = r / (r + t);
    const Float3 dimming = at.front ? splat(1.0f) : exponential(absorption * -at.distance);
    if (u.x < p) return specular(mirrored(at.outgoing), reflected * dimming * (1.0f / p));
    return specular(face.refracted, refracted * dimming * (1.0f / (1.0f - p)));
  }
};
