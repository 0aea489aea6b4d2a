// Surfaces that are cut out: whether a ray finds a triangle at all.
#pragma once
#include "sampler.cuh"
#include "surface_textures.cuh"

// Share of rays that find nothing at a point of a triangle.
template <class Job>
DEVICE float absence_at(const Job& job, const Hit& hit, float spread) {
  const Material& material = material_of_triangle(job, hit);
  if constexpr (Job::textured) {
    if (material.opacity_steps)
      return 1.0f - texture_value(job, material.opacity_steps, hit, spread).x;
  }
  return material.absence;
}

// hash(0) is 0, which is FILM_DIMENSION: what is cut out there would depend on the place in the pixel.
constexpr uint32_t PRESENCE_DIMENSION = 0x9e3779b9u;

// By chance, in a dimension that belongs to the path's segment and the triangle alone: surfaces one
// behind the other decide independently, each stratified over the samples of a pixel, and a triangle
// that is met twice answers the same.
template <class Job>
struct DrawnPresence {
  const Job& job;
  Sampler sampler;
  uint32_t segment;
  float spread;  // of the segment's ray, see texture_view.cuh

  DEVICE bool operator()(const Hit& hit) const {
    const float absence = absence_at(job, hit, spread);
    if (absence <= 0.0f) return true;
    const uint32_t place = hash(hash(PRESENCE_DIMENSION + hit.instance) + hit.triangle);
    return draw1(sampler, hash(place + segment)) >= absence;
  }
};
