// The scene as the builder is given it, and the check that every number in it can be used.
#pragma once
#include <cstddef>
#include <vector>

#include "../../scene_types.cuh"
#include "monitor.h"

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
  View<Transform> keys;  // of all motions
  View<uint8_t> cut;     // of each triangle, whether some instance cuts it out; may be empty
};

// Coordinates beyond this, in world or object space, overflow in the triangle test.
constexpr float MAX_COORDINATE = 1e9f;

// Whether rays can meet the instance at all.
bool is_visible(const SceneView& scene, const Instance& instance);

// How often each mesh is placed where rays can meet it.
std::vector<uint32_t> uses_of_meshes(const SceneView& scene);

// Whether a visible instance's triangles are brought to world space: its mesh is placed once, and it
// stands still.
inline bool is_in_world(const Instance& instance, const std::vector<uint32_t>& uses) {
  return uses[instance.mesh] == 1 && instance.motion.key_count == 0;
}

// Throws std::invalid_argument that names the first record that cannot be used, and why.
void check_scene(const SceneView& scene, unsigned threads, Monitor& monitor);
