// The one list of shaders. A shader's place in it is its id in Material::shader.
#pragma once
#include "kind_list.cuh"
#include "shaders/architectural.cuh"
#include "shaders/conductor.cuh"
#include "shaders/glass.cuh"
#include "shaders/lambert.cuh"
#include "shaders/mirror.cuh"
#include "shaders/phong.cuh"

// An id beyond the list is a surface that absorbs.
template <class... Kinds>
using ShaderList = KindList<Kinds...>;

using Shaders = ShaderList<Lambert, Phong, Mirror, Glass, Conductor, Architectural>;

struct ShaderCall {
  uint32_t shader;
  const void* parameters;
};

DEVICE Evaluation evaluate(const ShaderCall& call, const Incidence& at, Float3 incoming) {
  return Shaders::visit<Evaluation>(call.shader, call.parameters, [&](const auto& shader) {
    return shader.evaluate(at, incoming);
  });
}

DEVICE Scattering sample(const ShaderCall& call, const Incidence& at, Float2 u) {
  return Shaders::visit<Scattering>(call.shader, call.parameters, [&](const auto& shader) {
    return shader.sample(at, u);
  });
}
