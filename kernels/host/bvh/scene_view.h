// The scene as the builder is given it, and the check that every number in it can be used.
#pragma once
#include <cstddef>

#include "../../scene_types.cuh"

template <class T>
struct View {
  const T* data;
  size_t size;

  const T& operator[](size_t i) const { return data[i]; }
};

struct SceneView {
  View<Float3> positions;
  View<Triangle> triangles;
  View<Mesh> meshes;
  View<Instance> instances;
};

// Coordinates beyond this, in world or object space, overflow in the triangle test.
constexpr float MAX_COORDINATE = 1e9f;

// Throws std::invalid_argument that names the first record that cannot be used, and why.
void check_scene(const SceneView& scene);
