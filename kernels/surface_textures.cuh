// What textures make of a material where it is met: its opacity, its emission, its shader's parameters.
#pragma once
#include "shaders.cuh"
#include "texture_view.cuh"
#include "textures/steps.cuh"

// A function of its own: traversal and shading do not keep their registers across it.
DEVICE_CALL Float4 value_of_steps(const TextureStep* steps, const uint8_t* operands,
                                  TextureView view, float* parameters) {
  ValueStack stack;
  stack.size = 0;
  stack.parameters = parameters;
  run_steps(steps, operands, view, stack);
  return stack.size ? stack.top() : all_four(0.0f);
}

// first: a place in RenderJob::texture_steps.
DEVICE Float4 texture_value(const RenderJob& job, uint32_t first, const Hit& hit, float spread,
                            float* parameters = nullptr) {
  return value_of_steps(job.texture_steps + first, job.parameters, view_of(job, hit, spread),
                        parameters);
}

// As material_at(), but also of instances that no ray sees: lamps among them have no faces.
DEVICE const Material& material_of_triangle(const RenderJob& job, const Hit& hit) {
  const Instance& instance = job.instances[hit.instance];
  const Triangle& triangle = job.triangles[job.meshes[instance.mesh].first_triangle + hit.triangle];
  return job.materials[job.material_slots[instance.first_material + triangle.material]];
}

// What the emission of a material is times at a point.
template <class Job>
DEVICE Float3 glow_at(const Job& job, const Material& material, const Hit& hit, float spread) {
  if constexpr (Job::textured) {
    if (material.emission_steps) {
      const Float4 value = texture_value(job, material.emission_steps, hit, spread);
      return {value.x, value.y, value.z};
    }
  }
  return splat(1.0f);
}

constexpr uint32_t PARAMETER_PLACES = 16;

template <class Shader>
DEVICE bool copy_to(float* places, const Shader& shader) {
  static_assert(sizeof(Shader) <= PARAMETER_PLACES * sizeof(float), "more parameters than places");
  *reinterpret_cast<Shader*>(places) = shader;
  return true;
}

// The shader with its parameters as they are at a point; they are kept in `places`.
DEVICE ShaderCall textured(const RenderJob& job, const Material& material, const Hit& hit,
                           float spread, float* places) {
  const uint8_t* constant = job.parameters + material.parameters;
  if (!material.surface_steps) return {material.shader, constant};
  Shaders::visit<bool>(material.shader, constant,
                       [&](const auto& shader) { return copy_to(places, shader); });
  texture_value(job, material.surface_steps, hit, spread, places);
  return {material.shader, places};
}
