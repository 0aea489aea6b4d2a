#include "placed_triangles.h"

Float3 world_point(const Transform& m, Float3 p) {
  const auto coordinate = [&](const float row[4]) {
    const double x = p.x, y = p.y, z = p.z, rx = row[0], ry = row[1], rz = row[2], offset = row[3];
    return static_cast<float>(rx * x + ry * y + rz * z + offset);
  };
  return {coordinate(m.rows[0]), coordinate(m.rows[1]), coordinate(m.rows[2])};
}

TriangleReader::TriangleReader(const SceneView& scene, const TreeSource& source, uint32_t instance)
    : is_moved_(source.is_in_world()) {
  const Instance* placed = is_moved_ ? &scene.instances[instance] : nullptr;
  const Mesh& mesh = scene.meshes[placed ? placed->mesh : source.mesh];
  triangles_ = scene.triangles.data + mesh.first_triangle;
  positions_ = scene.positions.data + mesh.first_vertex;
  cut_ = scene.cut.size ? scene.cut.data + mesh.first_triangle : nullptr;
  for (int column = 0; placed && column < 4; column++)
    for (int row = 0; row < 4; row++)
      columns_[column][row] =
          row < 3 ? static_cast<double>(placed->world_from_object.rows[row][column]) : 0.0;
}

// The sums of world_point, side by side.
Lanes<4> TriangleReader::moved(uint32_t vertex) const {
  const Float3 p = positions_[vertex];
  const double x = p.x, y = p.y, z = p.z;
  const Double4 sum = columns_[0] * x + columns_[1] * y + columns_[2] * z + columns_[3];
  return {__builtin_convertvector(sum, Vector<4>::type)};
}
