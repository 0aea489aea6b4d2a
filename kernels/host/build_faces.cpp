#include "build_faces.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "bvh/placed_triangles.h"
#include "thread_pool.h"

namespace {

constexpr uint32_t NOT_BUILT = 0xffffffffu;
// Faces that one thread makes at a time.
constexpr uint32_t PIECE = 1u << 13;

// Normals are worked out in double precision: slivers have one too.
struct Double3 {
  double x, y, z;
};

Double3 wide(float x, float y, float z) {
  return {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)};
}
Double3 wide_difference(Float3 a, Float3 b) {
  const Double3 p = wide(a.x, a.y, a.z), q = wide(b.x, b.y, b.z);
  return {p.x - q.x, p.y - q.y, p.z - q.z};
}
Double3 cross(Double3 a, Double3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
double dot(Double3 a, Double3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
double length(Double3 v) { return std::sqrt(dot(v, v)); }
Float3 narrow(Double3 v, double scale) {
  return {static_cast<float>(v.x * scale), static_cast<float>(v.y * scale),
          static_cast<float>(v.z * scale)};
}

Double3 linear_row(const Transform& m, int i) {
  return wide(m.rows[i][0], m.rows[i][1], m.rows[i][2]);
}

// The Frobenius norm: never less than what a length is stretched by.
float stretch_of(const Transform& m) {
  double sum = 0.0;
  for (int i = 0; i < 3; i++) sum += dot(linear_row(m, i), linear_row(m, i));
  return static_cast<float>(std::sqrt(sum) * 1.000001);
}

struct Corners3 {
  Float3 a, b, c;
};

// front is 1, or -1 where the winding is that of the back.
Face face_of(const Corners3& at, double front, uint32_t material, uint32_t mesh_flags) {
  const Double3 first = wide_difference(at.b, at.a), second = wide_difference(at.c, at.a);
  const double longest = std::fmax(length(wide_difference(at.c, at.b)),
                                   std::fmax(length(first), length(second)));
  const Double3 across = cross(first, second);
  const double area = length(across);
  const Float3 normal = narrow(across, area > 0.0 ? front / area : 0.0);
  const Float3 size = largest(absolute(at.a), largest(absolute(at.b), absolute(at.c)));
  const float error = triangle_error(normal, size, static_cast<float>(longest));
  return {at.a, {narrow(first, 1.0), narrow(second, 1.0)}, normal, error, material, mesh_flags};
}

class FaceBuilder {
 public:
  explicit FaceBuilder(const SceneView& scene)
      : scene_(scene), uses_(uses_of_meshes(scene)), face_of_mesh_(scene.meshes.size, NOT_BUILT) {}

  FaceArrays build(const View<Light>& lights, unsigned threads, Monitor& monitor) {
    measure_meshes();
    for (size_t i = 0; i < scene_.instances.size; i++)
      arrays_.instance_faces.push_back(faces_of(scene_.instances[i]));
    monitor.expect(face_count_ + lights.size);
    make_faces(threads, monitor);
    arrays_.light_faces.resize(lights.size);
    parallel_for(static_cast<uint32_t>(lights.size), PIECE, threads,
                 [&](uint32_t i) { arrays_.light_faces[i] = light_face(lights, i); });
    return std::move(arrays_);
  }

 private:
  // Some faces of a mesh, in world space or without an instance in object space.
  struct Piece {
    uint32_t mesh;
    const Instance* instance;
    uint32_t first, count;  // triangles of the mesh
    uint32_t face;          // of the first
  };

  void measure_meshes() {
    reach_of_mesh_.resize(scene_.meshes.size, splat(-1.0f));
    for (size_t i = 0; i < scene_.instances.size; i++) {
      const Instance& instance = scene_.instances[i];
      Float3& reach = reach_of_mesh_[instance.mesh];
      if (reach.x < 0.0f && !is_in_world(instance, uses_))
        reach = measured_reach(instance.mesh);
    }
  }

  void make_faces(unsigned threads, Monitor& monitor) {
    arrays_.faces.resize(face_count_);
    parallel_for(static_cast<uint32_t>(pieces_.size()), 1, threads, [&](uint32_t i) {
      const Piece& piece = pieces_[i];
      for (uint32_t k = 0; k < piece.count; k++)
        arrays_.faces[piece.face + k] = make_face(piece.mesh, piece.first + k, piece.instance);
      monitor.advance(piece.count);
    });
  }

  InstanceFaces faces_of(const Instance& instance) {
    if (!is_visible(scene_, instance)) return {};
    const uint32_t first_material = instance.first_material;
    if (is_in_world(instance, uses_))
      return {add_faces(instance.mesh, &instance), first_material, 1, 1.0f, splat(0.0f)};
    uint32_t& first = face_of_mesh_[instance.mesh];
    if (first == NOT_BUILT) first = add_faces(instance.mesh, nullptr);
    const bool is_moving = instance.motion.key_count != 0;
    return {first, first_material, 0, stretch_of(instance.world_from_object),
            is_moving ? reach_of_mesh_[instance.mesh] : added_error(instance)};
  }

  // In world space, or without an instance in object space: plans them, and says which is the first.
  uint32_t add_faces(uint32_t mesh, const Instance* instance) {
    const uint32_t first_face = face_count_, count = scene_.meshes[mesh].triangle_count;
    if (uint64_t{first_face} + count >= NOT_BUILT)
      throw std::invalid_argument("the scene has more triangles than can be numbered");
    for (uint32_t i = 0; i < count; i += PIECE)
      pieces_.push_back({mesh, instance, i, std::min(PIECE, count - i), first_face + i});
    face_count_ += count;
    return first_face;
  }

  Face make_face(uint32_t mesh_index, uint32_t index, const Instance* instance) const {
    const Mesh& mesh = scene_.meshes[mesh_index];
    const Triangle& triangle = scene_.triangles[size_t{mesh.first_triangle} + index];
    const auto corner = [&](int k) {
      const Float3 p = scene_.positions[size_t{mesh.first_vertex} + triangle.vertex[k]];
      return instance ? world_point(instance->world_from_object, p) : p;
    };
    return face_of({corner(0), corner(1), corner(2)}, instance ? winding(*instance) : 1.0,
                   triangle.material, mesh.flags);
  }

  // A mirroring transform turns the winding but not the front.
  static double winding(const Instance& instance) {
    const Transform& m = instance.world_from_object;
    const double volume = dot(linear_row(m, 0), cross(linear_row(m, 1), linear_row(m, 2)));
    return volume < 0.0 ? -1.0 : 1.0;
  }

  // Per axis the largest magnitude of a mesh's vertices.
  Float3 measured_reach(uint32_t mesh_index) const {
    const Mesh& mesh = scene_.meshes[mesh_index];
    Float3 size = splat(0.0f);
    for (uint32_t i = 0; i < mesh.vertex_count; i++)
      size = largest(size, absolute(scene_.positions[size_t{mesh.first_vertex} + i]));
    return size;
  }

  Float3 added_error(const Instance& instance) const {
    return transform_error(instance.world_from_object, instance.object_from_world,
                           reach_of_mesh_[instance.mesh]);
  }

  Face light_face(const View<Light>& lights, size_t index) const {
    const Light& light = lights[index];
    if (light.kind != LIGHT_TRIANGLE) return {};
    if (light.instance >= scene_.instances.size ||
        light.triangle >= scene_.meshes[scene_.instances[light.instance].mesh].triangle_count)
      throw std::invalid_argument("light " + std::to_string(index) +
                                  " names no triangle of the scene");
    const Instance& instance = scene_.instances[light.instance];
    Face face = make_face(instance.mesh, light.triangle, &instance);
    if (!is_in_world(instance, uses_)) face.error += ::dot(absolute(face.normal), added_error(instance));
    return face;
  }

  const SceneView& scene_;
  const std::vector<uint32_t> uses_;
  std::vector<uint32_t> face_of_mesh_;
  std::vector<Float3> reach_of_mesh_;  // of meshes that are not in world space
  std::vector<Piece> pieces_;
  uint32_t face_count_ = 0;
  FaceArrays arrays_;
};

}  // namespace

FaceArrays build_faces(const SceneView& scene, const View<Light>& lights, unsigned threads,
                       Monitor& monitor) {
  check_scene(scene, threads, monitor);
  return FaceBuilder(scene).build(lights, threads, monitor);
}
