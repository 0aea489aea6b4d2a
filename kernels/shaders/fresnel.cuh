// How an interface splits light into reflected and refracted.
#pragma once
#include "../math.cuh"

struct Interface {
  float reflectance;  // unpolarised; 1 where reflection is total
  Float3 refracted;   // local direction, meaningless where reflection is total
};

// Fresnel's equations and Snell's law for light along outgoing (or back), eta = index beyond the
// surface over index on outgoing's side.
DEVICE Interface interface_at(Float3 outgoing, float eta) {
  const float cos_here = outgoing.z;
  const float sin2_beyond = (1.0f - cos_here * cos_here) / (eta * eta);
  if (sin2_beyond >= 1.0f) return {1.0f, outgoing};
  const float cos_beyond = sqrtf(1.0f - sin2_beyond);
  const float s = (cos_here - eta * cos_beyond) / (cos_here + eta * cos_beyond);
  const float p = (eta * cos_here - cos_beyond) / (eta * cos_here + cos_beyond);
  return {0.5f * (s * s + p * p), {-outgoing.x / eta, -outgoing.y / eta, -cos_beyond}};
}

// Schlick 1994, with the value at grazing angle as a parameter.
DEVICE Float3 schlick(Float3 f0, Float3 f90, float cosine) {
  return f0 + (f90 - f0) * fifth_power(clamp(1.0f - cosine, 0.0f, 1.0f));
}
