// The triangles of a tree, in the space that its rays are in.
#pragma once
#include "../../bvh/triangle_block.cuh"
#include "box.h"
#include "scene_view.h"

// A point of object space in the world, rounded once.
Float3 world_point(const Transform& world_from_object, Float3 point);

// Whose triangles a tree holds: those of one mesh in object space, or those of instances in world
// space, whose meshes are used once.
struct TreeSource {
  static constexpr uint32_t IN_WORLD = 0xffffffffu;
  uint32_t mesh;                    // or IN_WORLD
  std::vector<uint32_t> instances;  // in world space

  bool is_in_world() const { return mesh == IN_WORLD; }
};

// A run of one mesh's triangles, ready to be read one after another.
class TriangleReader {
 public:
  // instance: that of a tree in world space; 0 in object space.
  TriangleReader(const SceneView& scene, const TreeSource& source, uint32_t instance);

  // The corners of a triangle, counted in its mesh; three lanes of each.
  struct Corners {
    Lanes<4> corner[3];

    Box box() const {
      Box box = Box::at(corner[0]);
      box.include(Box::at(corner[1]));
      box.include(Box::at(corner[2]));
      return box;
    }
  };
  Corners read(uint32_t triangle) const {
    const Triangle& t = triangles_[triangle];
    if (!is_moved_) return {{at(t.vertex[0]), at(t.vertex[1]), at(t.vertex[2])}};
    return {{moved(t.vertex[0]), moved(t.vertex[1]), moved(t.vertex[2])}};
  }
  // Whether an instance may cut the triangle out.
  bool is_cut(uint32_t triangle) const { return cut_ && cut_[triangle]; }

 private:
  typedef double Double4 __attribute__((vector_size(32)));

  Lanes<4> at(uint32_t vertex) const { return lanes_of(positions_[vertex]); }
  Lanes<4> moved(uint32_t vertex) const;

  const Triangle* triangles_;
  const Float3* positions_;
  const uint8_t* cut_;
  bool is_moved_;
  Double4 columns_[4];
};

// Writes a triangle into a block of a leaf. instance: counted from the placement's first.
template <int W>
void set_lane(TriangleBlock<W>& block, uint32_t lane, const TriangleReader& reader,
              uint32_t instance, uint32_t triangle) {
  const TriangleReader::Corners at = reader.read(triangle);
  for (int k = 0; k < 3; k++)
    for (int a = 0; a < 3; a++) block.corner[3 * k + a][lane] = at.corner[k][a];
  block.instance[lane] = instance;
  block.triangle[lane] = triangle | (reader.is_cut(triangle) ? MAY_BE_ABSENT : 0u);
}
