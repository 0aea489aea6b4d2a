// Choosing a light and a point on it.
//
// The environment is not among them. It is constant, so what a connection to it could adapt to is
// the surface alone, and scattering already follows that.
#pragma once
#include "cutouts.cuh"
#include "moving_face.cuh"
#include "warps.cuh"

struct LightSample {
  Float3 direction;  // from the surface, unit length
  float distance;
  Float3 color;  // radiance arriving; from a light without extent irradiance across direction
  float pdf;     // 1/sr; of a light without extent the chance of choosing it
  bool may_be_hit;  // scattering finds this light as well
};

DEVICE LightSample unlit() { return {{0.0f, 0.0f, 1.0f}, 0.0f, splat(0.0f), 1.0f, false}; }

// Density with which connections choose a point of an emissive triangle, per area; see Light.
DEVICE float emission_pdf(const RenderJob& job, Float3 emission) {
  return job.emission_density * luminance(emission);
}

// A density per area seen from a point, per solid angle.
DEVICE float per_solid_angle(float pdf, float distance, float cosine) {
  return pdf * distance * distance / cosine;
}

// The light whose part of the unit interval u is in; u is stretched over that part.
DEVICE uint32_t choose_light(const RenderJob& job, float& u) {
  const float buckets = static_cast<float>(static_cast<int>(job.light_buckets));
  uint32_t light = job.light_guide[static_cast<int>(u * buckets)];
  while (u >= job.light_cdf[light]) light++;
  const float begin = light ? job.light_cdf[light - 1] : 0.0f;
  u = clamp((u - begin) / (job.light_cdf[light] - begin), 0.0f, BELOW_ONE);
  return light;
}

template <class Job>
DEVICE SurfacePoint point_of_light(const Job& job, uint32_t index, Float2 weights, float time) {
  if constexpr (Job::varies) {
    const Light& light = job.lights[index];
    if (moves(job.instances[light.instance]))
      return moved_point(job, light.instance, light.triangle, weights, time);
  }
  return {point_on(job.light_faces[index], weights.x, weights.y), 1.0f};
}

// The light's emission at a point of its triangle, less the share of rays that do not find it there:
// a shadow ray ends before it.
template <class Job>
DEVICE Float3 color_at(const Job& job, const Light& light, Float2 weights) {
  if constexpr (Job::varies) {
    const Hit hit = {0.0f, weights.x, weights.y, light.instance, light.triangle};
    const Float3 glow = glow_at(job, material_of_triangle(job, hit), hit, 0.0f);
    return light.color * (1.0f - absence_at(job, hit, 0.0f)) * glow;
  } else {
    return light.color;
  }
}

template <class Job>
DEVICE LightSample sample_triangle(const Job& job, uint32_t index, Float3 from, Float2 u,
                                   float time) {
  const Light& light = job.lights[index];
  const Float2 weights = uniform_triangle(u);
  const SurfacePoint chosen = point_of_light(job, index, weights, time);
  const FacePoint& point = chosen.point;
  // From above the triangle, so that the shadow ray ends before it.
  const Float3 toward = offset_origin(point.position, point.normal, point.error) - from;
  const float distance = length(toward);
  const Float3 direction = toward * (1.0f / distance);
  const float cosine = -dot(point.normal, direction);
  if (!(cosine > 0.0f)) return unlit();  // behind it, or in its plane
  const float pdf =
      per_solid_angle(chosen.emission_share * emission_pdf(job, light.color), distance, cosine);
  return {direction, distance, color_at(job, light, weights), pdf,
          (job.instances[light.instance].mask & VISIBLE_TO_PATHS) != 0};
}

// By distance: inverse square, none, or linear between two distances.
DEVICE float falloff_at(const Light& light, float distance) {
  if (light.falloff == FALLOFF_INVERSE_SQUARE) return 1.0f / (distance * distance);
  if (light.falloff == FALLOFF_NONE) return 1.0f;
  if (distance <= light.fade_start) return 1.0f;
  if (distance >= light.fade_stop) return 0.0f;
  return (light.fade_stop - distance) / (light.fade_stop - light.fade_start);
}

// Cubic between the cones.
DEVICE float cone_at(const Light& light, float cosine) {
  if (cosine >= light.cos_inner) return 1.0f;
  if (cosine <= light.cos_outer) return 0.0f;
  const float x = (cosine - light.cos_outer) / (light.cos_inner - light.cos_outer);
  return x * x * (3.0f - 2.0f * x);
}

DEVICE LightSample sample_point(const Light& light, Float3 from) {
  const Float3 toward = light.position - from;
  const float distance = length(toward);
  if (!(distance > 0.0f)) return unlit();
  const Float3 direction = toward * (1.0f / distance);
  const float cone =
      light.kind == LIGHT_SPOT ? cone_at(light, -dot(light.direction, direction)) : 1.0f;
  return {direction, distance, light.color * (cone * falloff_at(light, distance)),
          light.probability, false};
}

template <class Job>
DEVICE LightSample sample_light(const Job& job, Float3 from, Float2 u, float time) {
  if (job.light_count == 0) return unlit();
  const uint32_t index = choose_light(job, u.x);
  const Light& light = job.lights[index];
  if (light.kind == LIGHT_TRIANGLE)
    return sample_triangle(job, index, from, u, time);
  if (light.kind == LIGHT_DIRECTIONAL)
    return {-light.direction, FAR_AWAY, light.color, light.probability, false};
  return sample_point(light, from);
}
