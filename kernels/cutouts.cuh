// Surfaces that are cut out: whether a ray finds a triangle at all.
#pragma once
#include "render_job.cuh"
#include "sampler.cuh"

DEVICE float absence_of(const RenderJob& job, uint32_t instance_index, uint32_t triangle_index) {
  const Instance& instance = job.instances[instance_index];
  const Triangle& triangle =
      job.triangles[job.meshes[instance.mesh].first_triangle + triangle_index];
  return job.materials[job.material_slots[instance.first_material + triangle.material]].absence;
}

// By chance, in a dimension that belongs to the path's segment and the triangle alone: surfaces one
// behind the other decide independently, each stratified over the samples of a pixel, and a triangle
// that is met twice answers the same.
struct DrawnPresence {
  const RenderJob& job;
  Sampler sampler;
  uint32_t segment;

  DEVICE bool operator()(uint32_t instance, uint32_t triangle) const {
    const float absence = absence_of(job, instance, triangle);
    if (absence <= 0.0f) return true;
    return draw1(sampler, hash(hash(hash(instance) + triangle) + segment)) >= absence;
  }
};
