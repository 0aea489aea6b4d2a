// The GGX microfacet distribution with Smith's height-correlated masking, for reflection. Walter et
// al. 2007; Heitz 2014, "Understanding the Masking-Shadowing Function", JCGT 3(2). One scattering
// event: a rough surface loses what would leave after several.
#pragma once
#include "../math.cuh"

// Below this the lobe is narrower than floats can resolve: shaders treat it as a mirror.
constexpr float SMOOTH_ALPHA = 1e-3f;

struct GgxLobe {
  float value;  // D G2 / (4 cos(outgoing)): the BRDF without Fresnel, times cos(incoming)
  float pdf;    // of ggx_sample, 1/sr
  float cos_half;  // between outgoing and the facet's normal
};

DEVICE float ggx_distribution(Float3 half, float alpha) {
  const float a2 = alpha * alpha;
  const float t = (half.x * half.x + half.y * half.y) / a2 + half.z * half.z;
  return INVERSE_PI / (a2 * t * t);
}

DEVICE float smith_lambda(Float3 w, float alpha) {
  const float tan2 = (w.x * w.x + w.y * w.y) / (w.z * w.z);
  return 0.5f * (sqrtf(1.0f + alpha * alpha * tan2) - 1.0f);
}

DEVICE GgxLobe ggx_evaluate(Float3 outgoing, Float3 incoming, float alpha) {
  if (incoming.z <= 0.0f || outgoing.z <= 0.0f) return {0.0f, 0.0f, 0.0f};
  const Float3 half = normalize(outgoing + incoming);
  const float facets = ggx_distribution(half, alpha) / (4.0f * outgoing.z);
  const float masked = smith_lambda(outgoing, alpha);
  return {facets / (1.0f + masked + smith_lambda(incoming, alpha)), facets / (1.0f + masked),
          dot(outgoing, half)};
}

// A direction reflected by a facet that the viewer sees. Dupuy and Benyoub 2023, "Sampling Visible
// GGX Normals with Spherical Caps". May lie below the horizon.
DEVICE Float3 ggx_sample(Float3 outgoing, Float2 u, float alpha) {
  const Float3 stretched = normalize({outgoing.x * alpha, outgoing.y * alpha, outgoing.z});
  const float z = (1.0f - u.y) * (1.0f + stretched.z) - stretched.z;
  const float radius = square_root(1.0f - z * z);
  const SinCos turn = sin_cos_of_turns(u.x);
  const Float3 sum = Float3{radius * turn.cosine, radius * turn.sine, z} + stretched;
  const Float3 half = normalize({sum.x * alpha, sum.y * alpha, maximum(sum.z, 1e-7f)});
  return half * (2.0f * dot(half, outgoing)) - outgoing;
}
