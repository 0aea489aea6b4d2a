#include "triangle_soup.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace {

float world_coordinate(const float row[4], Float3 p) {
  const double x = p.x, y = p.y, z = p.z, rx = row[0], ry = row[1], rz = row[2], offset = row[3];
  return static_cast<float>(rx * x + ry * y + rz * z + offset);
}

template <class Place>
void append(const SceneView& scene, const Mesh& mesh, uint32_t instance, Place place,
            TriangleSoup& soup) {
  soup.reserve(soup.size() + mesh.triangle_count);
  for (uint32_t i = 0; i < mesh.triangle_count; i++) {
    const Triangle& triangle = scene.triangles[size_t{mesh.first_triangle} + i];
    const bool is_cut = scene.cut.size && scene.cut[size_t{mesh.first_triangle} + i];
    SoupTriangle out = {{}, instance, is_cut ? i | MAY_BE_ABSENT : i};
    for (int k = 0; k < 3; k++)
      out.corner[k] = place(scene.positions[size_t{mesh.first_vertex} + triangle.vertex[k]]);
    soup.push_back(out);
  }
}

}  // namespace

Float3 world_point(const Transform& m, Float3 p) {
  return {world_coordinate(m.rows[0], p), world_coordinate(m.rows[1], p),
          world_coordinate(m.rows[2], p)};
}

TriangleSoup mesh_soup(const SceneView& scene, uint32_t mesh) {
  TriangleSoup soup;
  append(scene, scene.meshes[mesh], 0, [](Float3 p) { return p; }, soup);
  return soup;
}

void append_world_triangles(const SceneView& scene, uint32_t instance, TriangleSoup& soup) {
  const Instance& placed = scene.instances[instance];
  const auto place = [&](Float3 p) {
    const Float3 world = world_point(placed.world_from_object, p);
    if (!(max_component({std::fabs(world.x), std::fabs(world.y), std::fabs(world.z)}) <=
          MAX_COORDINATE))
      throw std::invalid_argument("instance " + std::to_string(instance) +
                                  " reaches beyond the largest coordinate in world space");
    return world;
  };
  append(scene, scene.meshes[placed.mesh], instance, place, soup);
}

std::vector<Reference> references_to(const TriangleSoup& soup) {
  std::vector<Reference> references(soup.size());
  for (size_t i = 0; i < soup.size(); i++) {
    references[i].primitive = static_cast<uint32_t>(i);
    for (const Float3& corner : soup[i].corner) references[i].box.include(float4_of(corner));
  }
  return references;
}
