// Maps from the unit square to directions and triangles, each with its density.
#pragma once
#include "math.cuh"

// About +z, density cos / pi per solid angle.
DEVICE Float3 cosine_hemisphere(Float2 u) {
  const float radius = sqrtf(u.x);
  const SinCos turn = sin_cos_of_turns(u.y);
  return {radius * turn.cosine, radius * turn.sine, square_root(1.0f - u.x)};
}
DEVICE float cosine_hemisphere_pdf(Float3 direction) {
  return maximum(direction.z, 0.0f) * INVERSE_PI;
}

// About +z, density (n + 1) / (2 pi) cos^n per solid angle.
DEVICE Float3 power_cosine(Float2 u, float n) {
  const float cosine = power(1.0f - u.x, 1.0f / (n + 1.0f));
  const float sine = square_root(1.0f - cosine * cosine);
  const SinCos turn = sin_cos_of_turns(u.y);
  return {sine * turn.cosine, sine * turn.sine, cosine};
}
DEVICE float power_cosine_pdf(float cosine, float n) {
  return cosine > 0.0f ? (n + 1.0f) * (0.5f * INVERSE_PI) * power(cosine, n) : 0.0f;
}

// Weights of a triangle's second and third corner, uniform over its area. Heitz 2019, "A
// Low-Distortion Map Between Triangle and Square": keeps the square's strata compact.
DEVICE Float2 uniform_triangle(Float2 u) {
  const float half = 0.5f * minimum(u.x, u.y);
  return {u.x - half, u.y - half};
}

// Chooses the first of two with this probability, and stretches u over the chosen part, so that it
// can be used once more.
DEVICE bool choose(float probability, float& u) {
  const bool first = u < probability;
  const float stretched = first ? u / probability : (u - probability) / (1.0f - probability);
  u = minimum(stretched, BELOW_ONE);
  return first;
}
