#include "build_accelerator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

#include "triangle_soup.h"
#include "write_tree.h"

namespace {

// A placement costs a ray a transform, a new set-up and at least one visit below.
constexpr CollapseCosts TOP_LEVEL_COSTS = {1.0f, 4.0f, 1, 1};

// Roundings of an object ray and of this box itself, relative to the terms of the transform.
constexpr double PLACEMENT_PADDING = 2e-6;

struct Placed {
  Placement placement;
  Box box;
};

Float3 float3_of(Float4 v) { return {v[0], v[1], v[2]}; }

// The world box of an object box, by interval arithmetic: exact for the box, never too small.
Box world_box(const Transform& m, const Box& object) {
  Box world;
  for (int i = 0; i < 3; i++) {
    const double offset = m.rows[i][3];
    double low = offset, high = offset, size = std::fabs(offset);
    for (int j = 0; j < 3; j++) {
      const double a = static_cast<double>(m.rows[i][j]) * static_cast<double>(object.low[j]);
      const double b = static_cast<double>(m.rows[i][j]) * static_cast<double>(object.high[j]);
      low += std::min(a, b);
      high += std::max(a, b);
      size += std::max(std::fabs(a), std::fabs(b));
    }
    const double padding = size * PLACEMENT_PADDING;
    world.low[i] = static_cast<float>(low - padding);
    world.high[i] = static_cast<float>(high + padding);
  }
  return world;
}

template <class Layout>
class AcceleratorBuilder {
 public:
  AcceleratorBuilder(const SceneView& scene, int threads) : scene_(scene), threads_(threads) {}

  AcceleratorArrays<Layout> build() {
    check_scene(scene_);
    place_in_world();
    place_other_meshes();
    if (!placed_.empty()) write_top_level();
    return std::move(arrays_);
  }

 private:
  struct Bottom {
    uint32_t root;
    Box box;
  };

  void place_in_world() {
    const std::vector<uint32_t> uses = uses_of_meshes(scene_);
    std::map<uint32_t, TriangleSoup> soup_of_mask;
    for (uint32_t i = 0; i < scene_.instances.size; i++) {
      const Instance& instance = scene_.instances[i];
      if (is_visible(scene_, instance) && is_in_world(instance, uses))
        append_world_triangles(scene_, i, soup_of_mask[instance.mask]);
    }
    for (const auto& [mask, soup] : soup_of_mask) {
      const Bottom bottom = write_bottom_level(soup);
      placed_.push_back({{{}, {}, {}, bottom.root, 0, mask, PLACEMENT_IN_WORLD, {}}, bottom.box});
    }
  }

  // Those of repeated meshes, and those that move.
  void place_other_meshes() {
    const std::vector<uint32_t> uses = uses_of_meshes(scene_);
    std::map<uint32_t, Bottom> bottom_of_mesh;
    for (uint32_t i = 0; i < scene_.instances.size; i++) {
      const Instance& instance = scene_.instances[i];
      if (!is_visible(scene_, instance) || is_in_world(instance, uses)) continue;
      const auto [entry, is_new] = bottom_of_mesh.try_emplace(instance.mesh);
      if (is_new) entry->second = write_bottom_level(mesh_soup(scene_, instance.mesh));
      const Bottom& bottom = entry->second;
      placed_.push_back({{instance.object_from_world, {}, {}, bottom.root, i, instance.mask, 0,
                          instance.motion},
                         swept_box(instance, bottom.box)});
    }
  }

  // The box of the whole motion: that of all keys, as moving_transform.cuh says. The padding of each
  // covers what interpolation rounds.
  Box swept_box(const Instance& instance, const Box& object) const {
    Box box = world_box(instance.world_from_object, object);
    for (uint32_t i = 0; i < instance.motion.key_count; i++)
      box.include(world_box(scene_.keys[size_t{instance.motion.first_key} + i], object));
    return box;
  }

  Bottom write_bottom_level(const TriangleSoup& soup) {
    check_size(soup.size(), "triangles");
    const BinaryTree tree = build_binary_tree(references_to(soup), threads_);
    const auto add_leaf = [&](uint32_t first, uint32_t count) {
      return append_blocks(soup, &tree.references[first], count);
    };
    const CollapseCosts costs = {Layout::node_cost, Layout::block_cost, Layout::block_width, 4};
    const uint32_t root = write_tree<Layout>(tree, costs, arrays_.nodes, add_leaf);
    return {root, tree.nodes[0].box};
  }

  // The last block of a leaf is filled up with copies of the last triangle.
  uint32_t append_blocks(const TriangleSoup& soup, const Reference* references, uint32_t count) {
    constexpr uint32_t width = Layout::block_width;
    const auto first = static_cast<uint32_t>(arrays_.blocks.size());
    const uint32_t blocks = (count + width - 1) / width;
    for (uint32_t b = 0; b < blocks; b++) {
      typename Layout::Block& block = arrays_.blocks.emplace_back();
      for (uint32_t lane = 0; lane < width; lane++) {
        const uint32_t i = std::min(b * width + lane, count - 1);
        set_lane(block, lane, soup[references[i].primitive]);
      }
    }
    return leaf_word(first, blocks);
  }

  static void set_lane(typename Layout::Block& block, uint32_t lane, const SoupTriangle& triangle) {
    for (int k = 0; k < 3; k++) {
      block.corner[3 * k][lane] = triangle.corner[k].x;
      block.corner[3 * k + 1][lane] = triangle.corner[k].y;
      block.corner[3 * k + 2][lane] = triangle.corner[k].z;
    }
    block.instance[lane] = triangle.instance;
    block.triangle[lane] = triangle.triangle;
  }

  void write_top_level() {
    check_size(arrays_.blocks.size(), "triangle blocks");
    std::vector<Reference> references;
    for (const Placed& placed : placed_)
      references.push_back({placed.box, static_cast<uint32_t>(references.size())});
    const BinaryTree tree = build_binary_tree(std::move(references), threads_);
    const auto add_leaf = [&](uint32_t first, uint32_t count) {
      const auto entry = static_cast<uint32_t>(arrays_.placements.size());
      for (uint32_t i = first; i < first + count; i++) {
        const Placed& placed = placed_[tree.references[i].primitive];
        arrays_.placements.push_back(placed.placement);
        arrays_.placements.back().low = float3_of(placed.box.low);
        arrays_.placements.back().high = float3_of(placed.box.high);
      }
      return leaf_word(entry, count);
    };
    arrays_.root = write_tree<Layout>(tree, TOP_LEVEL_COSTS, arrays_.nodes, add_leaf);
  }

  static void check_size(size_t count, const char* what) {
    if (count >= MAX_ENTRIES)
      throw std::invalid_argument("the scene has " + std::to_string(count) + " " + what + "; at most " +
                                  std::to_string(MAX_ENTRIES - 1) + " can be traced");
  }

  const SceneView& scene_;
  const int threads_;
  AcceleratorArrays<Layout> arrays_;
  std::vector<Placed> placed_;
};

}  // namespace

template <class Layout>
AcceleratorArrays<Layout> build_accelerator(const SceneView& scene, int threads) {
  return AcceleratorBuilder<Layout>(scene, threads).build();
}

template AcceleratorArrays<FloatLayout> build_accelerator(const SceneView&, int);
template AcceleratorArrays<CompressedLayout> build_accelerator(const SceneView&, int);
