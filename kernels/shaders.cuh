// The one list of shaders. A shader's place in it is its id in Material::shader.
#pragma once
#include "shaders/architectural.cuh"
#include "shaders/conductor.cuh"
#include "shaders/glass.cuh"
#include "shaders/lambert.cuh"
#include "shaders/mirror.cuh"
#include "shaders/phong.cuh"

template <class... Kinds>
struct ShaderList;

using Shaders = ShaderList<Lambert, Phong, Mirror, Glass, Conductor, Architectural>;

// visit(): the visitor's answer for the shader of this id, with its parameters in its own type. An
// id beyond the list is answered with zeros: a surface that absorbs.
template <>
struct ShaderList<> {
  static constexpr uint32_t COUNT = 0;

  template <class Answer, class Visitor>
  static DEVICE Answer visit(uint32_t, const void*, const Visitor&) {
    return Answer{};
  }
};

template <class First, class... Rest>
struct ShaderList<First, Rest...> {
  static constexpr uint32_t COUNT = 1 + ShaderList<Rest...>::COUNT;

  template <class Answer, class Visitor>
  static DEVICE Answer visit(uint32_t id, const void* parameters, const Visitor& visitor) {
    if (id == 0) return visitor(*static_cast<const First*>(parameters));
    return ShaderList<Rest...>::template visit<Answer>(id - 1, parameters, visitor);
  }
};

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
