// What every shader is: a struct of parameters with two functions,
//
//   Evaluation evaluate(const Incidence&, Float3 incoming) const;
//   Scattering sample(const Incidence&, Float2 u) const;
//
// Directions have unit length, point away from the surface, and are local: +z is the shading normal
// on the viewer's side, so that outgoing.z > 0. incoming.z < 0 is transmission. Colours carried are
// radiances divided by the square of the medium's index, which a smooth interface does not change:
// no weight then exceeds one.
#pragma once
#include "../math.cuh"

// How the path met the surface, seen against the direction of light: toward the viewer.
struct Incidence {
  Float3 outgoing;
  bool front;      // the viewer is on the side that the normal points to
  float distance;  // length of the segment from the viewer
};

// value = BSDF * |cos(incoming)|, 1/sr; pdf: density with which sample() chooses incoming, 1/sr.
// Perfectly specular parts are left out of both.
struct Evaluation {
  Float3 value;
  float pdf;
};

// weight = value / pdf. Black: the path ends.
struct Scattering {
  Float3 incoming;
  Float3 weight;
  float pdf;
};

// Density of a direction that is the only possible one. Finite, so that MIS weights with it come
// out as exactly one.
constexpr float SPECULAR_PDF = 1e30f;

DEVICE Evaluation no_light() { return {splat(0.0f), 0.0f}; }
DEVICE Scattering absorbed() { return {{0.0f, 0.0f, 1.0f}, splat(0.0f), SPECULAR_PDF}; }

DEVICE Float3 mirrored(Float3 outgoing) { return {-outgoing.x, -outgoing.y, outgoing.z}; }

DEVICE Scattering specular(Float3 incoming, Float3 weight) {
  return {incoming, weight, SPECULAR_PDF};
}

// For shaders whose weight is easiest found by evaluating what was sampled.
template <class Shader>
DEVICE Scattering evaluated(const Shader& shader, const Incidence& at, Float3 incoming) {
  const Evaluation e = shader.evaluate(at, incoming);
  return e.pdf > 0.0f ? Scattering{incoming, e.value * (1.0f / e.pdf), e.pdf} : absorbed();
}
