// Builds and traces a scene from files, for processors that the compiled module is not here for.
//
// trace_files FOLDER reads positions, triangles, meshes, instances and rays (records, nothing
// else), and writes, for each layout, LAYOUT.closest (Hit records) and LAYOUT.any (bytes).
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bvh/traverse.cuh"
#include "host/bvh/build_accelerator.h"

namespace {

constexpr uint32_t ALL = 7;

template <class T>
std::vector<T> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<T> records(bytes.size() / sizeof(T));
  memcpy(records.data(), bytes.data(), records.size() * sizeof(T));
  return records;
}

template <class T>
void write(const std::string& path, const std::vector<T>& records) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(records.data()),
             static_cast<std::streamsize>(records.size() * sizeof(T)));
}

template <class Layout>
void trace_as(const std::string& path, const SceneView& scene, const std::vector<Ray>& rays) {
  Monitor monitor({});
  const auto arrays = build_accelerator<Layout>(scene, 1, monitor);
  const Accelerator accelerator = {arrays.nodes.data(), arrays.blocks.data(),
                                   arrays.placements.data(), arrays.root,
                                   static_cast<uint32_t>(arrays.placements.size()),
                                   nullptr};
  std::vector<Hit> closest(rays.size());
  std::vector<uint8_t> any(rays.size());
  for (size_t i = 0; i < rays.size(); i++) {
    closest_hit<Layout>(accelerator, rays[i], ALL, closest[i]);
    any[i] = any_hit<Layout>(accelerator, rays[i], ALL) ? 1 : 0;
  }
  write(path + ".closest", closest);
  write(path + ".any", any);
}

template <class T>
View<T> view_of(const std::vector<T>& records) {
  return {records.data(), records.size()};
}

}  // namespace

int main(int, char** arguments) {
  const std::string folder = std::string(arguments[1]) + "/";
  const auto positions = read<Float3>(folder + "positions");
  const auto triangles = read<Triangle>(folder + "triangles");
  const auto meshes = read<Mesh>(folder + "meshes");
  const auto instances = read<Instance>(folder + "instances");
  const SceneView scene = {view_of(positions), view_of(triangles), view_of(meshes),
                           view_of(instances), {nullptr, 0}, {nullptr, 0}};
  const auto rays = read<Ray>(folder + "rays");
  trace_as<FloatLayout>(folder + "float8", scene, rays);
  trace_as<CompressedLayout>(folder + "compressed8", scene, rays);
}
