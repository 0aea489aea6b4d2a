#include "scene_view.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "../thread_pool.h"

namespace {

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

// Below it an inverse in single precision may overflow.
constexpr double SMALLEST_DETERMINANT = 1e-30;

bool is_usable(float x) { return std::fabs(x) <= MAX_COORDINATE; }  // false for NaN

// Positions, or triangles, that one thread looks at at a time.
constexpr size_t PIECE = 1u << 16;

void check_positions(const View<Float3>& positions, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    const Float3 p = positions[i];
    if (!is_usable(p.x) || !is_usable(p.y) || !is_usable(p.z))
      refuse("position ", i, " is (", p.x, ", ", p.y, ", ", p.z,
             "); coordinates must be finite and within ", MAX_COORDINATE, " of zero");
  }
}

void check_range(const char* what, size_t mesh, uint64_t first, uint64_t count, size_t size) {
  if (first + count > size)
    refuse("mesh ", mesh, " uses ", what, " ", first, " to ", first + count, "; there are ", size);
}

void check_mesh(const SceneView& scene, size_t index) {
  const Mesh& mesh = scene.meshes[index];
  check_range("triangles", index, mesh.first_triangle, mesh.triangle_count, scene.triangles.size);
  check_range("vertices", index, mesh.first_vertex, mesh.vertex_count, scene.positions.size);
}

void check_triangles(const SceneView& scene, size_t mesh_index, size_t first, size_t end) {
  const Mesh& mesh = scene.meshes[mesh_index];
  for (size_t i = first; i < end; i++)
    for (const uint32_t vertex : scene.triangles[mesh.first_triangle + i].vertex)
      if (vertex >= mesh.vertex_count)
        refuse("triangle ", i, " of mesh ", mesh_index, " has vertex ", vertex, "; the mesh has ",
               mesh.vertex_count);
}

// Calls check(first, end) for pieces of 0 ... count on several threads, and throws what the first
// piece in order does that throws.
template <class Check>
void check_in_pieces(size_t count, unsigned threads, Monitor& monitor, Check check) {
  const auto pieces = static_cast<uint32_t>((count + PIECE - 1) / PIECE);
  std::atomic<bool> is_faulty{false};
  parallel_for(pieces, 1, threads, [&](uint32_t i) {
    monitor.advance(0);
    try {
      check(i * PIECE, std::min(count, (i + 1) * PIECE));
    } catch (const std::invalid_argument&) {
      is_faulty = true;
    }
  });
  if (is_faulty) check(0, count);
}

void check_matrix(size_t instance, const char* name, const Transform& m) {
  for (const auto& row : m.rows)
    for (const float x : row)
      if (!is_usable(x))
        refuse(name, " of instance ", instance, " holds ", x, "; must be finite and within ",
               MAX_COORDINATE, " of zero");
}

// The largest element of (world_from_object object_from_world - 1), linear part.
double inverse_error(const Instance& instance) {
  double worst = 0.0;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      double element = i == j ? -1.0 : 0.0;
      for (int k = 0; k < 3; k++)
        element += static_cast<double>(instance.world_from_object.rows[i][k]) *
                   static_cast<double>(instance.object_from_world.rows[k][j]);
      worst = std::fmax(worst, std::fabs(element));
    }
  return worst;
}

double determinant(const Transform& m) {
  const auto at = [&](int i, int j) { return static_cast<double>(m.rows[i][j]); };
  return at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) +
         at(0, 1) * (at(1, 2) * at(2, 0) - at(1, 0) * at(2, 2)) +
         at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0));
}

// Keys can be used, and the first is where the instance stands. Between keys a matrix may be
// singular for a moment.
void check_motion(const SceneView& scene, size_t index) {
  const Instance& instance = scene.instances[index];
  const Motion& motion = instance.motion;
  if (motion.key_count == 0) return;
  if (motion.key_count == 1 || uint64_t{motion.first_key} + motion.key_count > scene.keys.size)
    refuse("instance ", index, " moves by ", motion.key_count, " keys from ", motion.first_key,
           "; it takes 2 or more of the ", scene.keys.size, " that there are");
  for (uint32_t i = 0; i < motion.key_count; i++) {
    const Transform& key = scene.keys[size_t{motion.first_key} + i];
    check_matrix(index, "a key", key);
    if (!(std::fabs(determinant(key)) > SMALLEST_DETERMINANT))
      refuse("key ", i, " of instance ", index, " cannot be inverted");
  }
  if (memcmp(&scene.keys[motion.first_key], &instance.world_from_object, sizeof(Transform)) != 0)
    refuse("the first key of instance ", index, " is not its world_from_object");
}

void check_instance(const SceneView& scene, size_t index) {
  const Instance& instance = scene.instances[index];
  if (instance.mesh >= scene.meshes.size)
    refuse("instance ", index, " places mesh ", instance.mesh, "; there are ", scene.meshes.size);
  check_matrix(index, "world_from_object", instance.world_from_object);
  check_matrix(index, "object_from_world", instance.object_from_world);
  if (!(inverse_error(instance) < 0.01))
    refuse("object_from_world of instance ", index, " is not the inverse of its world_from_object");
  check_motion(scene, index);
}

}  // namespace

bool is_visible(const SceneView& scene, const Instance& instance) {
  return instance.mask != 0 && scene.meshes[instance.mesh].triangle_count != 0;
}

std::vector<uint32_t> uses_of_meshes(const SceneView& scene) {
  std::vector<uint32_t> uses(scene.meshes.size, 0);
  for (size_t i = 0; i < scene.instances.size; i++)
    if (is_visible(scene, scene.instances[i])) uses[scene.instances[i].mesh]++;
  return uses;
}

void check_scene(const SceneView& scene, unsigned threads, Monitor& monitor) {
  check_in_pieces(scene.positions.size, threads, monitor, [&](size_t first, size_t end) {
    check_positions(scene.positions, first, end);
  });
  if (scene.cut.size && scene.cut.size != scene.triangles.size)
    refuse("cut holds ", scene.cut.size, " flags; there are ", scene.triangles.size, " triangles");
  for (size_t i = 0; i < scene.meshes.size; i++) {
    check_mesh(scene, i);
    check_in_pieces(scene.meshes[i].triangle_count, threads, monitor,
                    [&](size_t first, size_t end) { check_triangles(scene, i, first, end); });
  }
  for (size_t i = 0; i < scene.instances.size; i++) check_instance(scene, i);
}
