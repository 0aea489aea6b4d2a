// build_accelerator, and the entry points by which tests and benchmarks trace rays on the CPU.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include "../bvh/traverse.cuh"
#include "build_faces.h"
#include "bvh/build_accelerator.h"
#include "bvh/exhaustive_layout.h"
#include "bvh/refit.h"
#include "bvh/surface_origins.h"
#include "bvh/trace_batch.h"
#include "module.h"
#include "records.h"
#include "thread_pool.h"

namespace nb = nanobind;

namespace {

// Calls use with a value of the layout's type.
template <class Use>
auto with_layout(const std::string& name, Use use) {
  if (name == "float8") return use(FloatLayout{});
  if (name == "compressed8") return use(CompressedLayout{});
  throw std::invalid_argument("unknown node layout '" + name + "'; known: compressed8, float8");
}

// As with_layout, and "exhaustive" tests every triangle of a float8 accelerator.
template <class Use>
auto with_traced_layout(const std::string& name, Use use) {
  return name == "exhaustive" ? use(ExhaustiveLayout{}) : with_layout(name, use);
}

unsigned threads_of(int threads) {
  if (threads < 0) throw std::invalid_argument("threads must not be negative");
  return thread_count(static_cast<unsigned>(threads));
}

// Calls a Python function with the share that is done; looks out for Control-C if there is none.
Monitor::Report report_to(const nb::object& progress) {
  return [progress](double share) {
    const nb::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!progress.is_none()) progress(share);
  };
}

// The bytes of a vector as a numpy array that owns them.
template <class Vector>
nb::object bytes_of(Vector&& elements) {
  using V = std::decay_t<Vector>;
  auto* kept = new V(std::forward<Vector>(elements));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<V*>(p); });
  const size_t bytes = kept->size() * sizeof(typename V::value_type);
  return nb::cast(nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>(kept->data(), {bytes}, owner));
}

// Of a Python object that may be None, or an empty array.
template <class T>
std::vector<T> copied(const char* name, nb::handle object) {
  if (object.is_none()) return {};
  const Records<T> records(name, object);
  return {records.data(), records.data() + records.size()};
}

template <class Layout>
nb::dict dict_of(AcceleratorArrays<Layout>& arrays, const SceneView& scene) {
  nb::dict result;
  result["placement_count"] = arrays.placements.size();
  result["root"] = arrays.root;
  result["nodes"] = bytes_of(std::move(arrays.nodes));
  result["blocks"] = bytes_of(std::move(arrays.blocks));
  result["placements"] = bytes_of(std::move(arrays.placements));
  result["keys"] = bytes_of(std::vector<Transform>(scene.keys.data, scene.keys.data + scene.keys.size));
  return result;
}

// The arrays of a scene, held while they are read.
struct HeldScene {
  Records<Float3> positions;
  Records<Triangle> triangles;
  Records<Mesh> meshes;
  Records<Instance> instances;
  std::vector<Transform> keys;
  std::vector<uint8_t> cut;

  HeldScene(nb::handle p, nb::handle t, nb::handle m, nb::handle i, nb::handle k,
            nb::handle c = nb::none())
      : positions("positions", p), triangles("triangles", t), meshes("meshes", m),
        instances("instances", i), keys(copied<Transform>("keys", k)),
        cut(copied<uint8_t>("cut", c)) {}

  SceneView view() const {
    return {{positions.data(), positions.size()},
            {triangles.data(), triangles.size()},
            {meshes.data(), meshes.size()},
            {instances.data(), instances.size()},
            {keys.data(), keys.size()},
            {cut.data(), cut.size()}};
  }
};

nb::dict build(nb::handle positions, nb::handle triangles, nb::handle meshes, nb::handle instances,
               const std::string& layout, int threads, nb::handle keys, nb::handle cut,
               const nb::object& progress) {
  const HeldScene scene(positions, triangles, meshes, instances, keys, cut);
  return with_layout(layout, [&](auto kind) {
    AcceleratorArrays<decltype(kind)> arrays;
    Monitor monitor(report_to(progress));
    const unsigned wanted = threads_of(threads);
    {
      const nb::gil_scoped_release unlocked;
      arrays = build_accelerator<decltype(kind)>(scene.view(), wanted, monitor);
    }
    return dict_of(arrays, scene.view());
  });
}

// The arrays of a built accelerator, held while they are traced.
template <class Layout>
struct HeldAccelerator {
  Records<uint8_t> nodes, blocks, placements, keys;
  Accelerator accelerator;

  explicit HeldAccelerator(const nb::dict& built)
      : nodes("nodes", built["nodes"]),
        blocks("blocks", built["blocks"]),
        placements("placements", built["placements"]),
        keys("keys", built["keys"]),
        accelerator{nodes.data(), blocks.data(),
                    reinterpret_cast<const Placement*>(placements.data()),
                    nb::cast<uint32_t>(built["root"]),
                    nb::cast<uint32_t>(built["placement_count"]),
                    reinterpret_cast<const Transform*>(keys.data())} {
    // Catches nearly every accelerator of another layout; no more is known of one.
    if (nodes.size() % sizeof(typename Layout::Node) ||
        blocks.size() % sizeof(typename Layout::Block) ||
        placements.size() != accelerator.placement_count * sizeof(Placement))
      throw std::invalid_argument("nodes, blocks and placements are not those of this layout");
  }
};

// Copies the records behind a pointer of an accelerator.
template <class T>
AlignedVector<T> records_of(const Records<uint8_t>& bytes) {
  AlignedVector<T> records(bytes.size() / sizeof(T));
  // Bytes from elsewhere may lie anywhere, and those of nothing nowhere.
  if (!records.empty())
    memcpy(static_cast<void*>(records.data()), bytes.data(), records.size() * sizeof(T));
  return records;
}

nb::dict refit_arrays(const nb::dict& built, nb::handle positions, nb::handle triangles,
                      nb::handle meshes, nb::handle instances, const std::string& layout,
                      int threads, nb::handle keys, nb::handle cut, const nb::object& progress) {
  const HeldScene scene(positions, triangles, meshes, instances, keys, cut);
  return with_layout(layout, [&](auto kind) {
    using Layout = decltype(kind);
    const HeldAccelerator<Layout> held(built);
    Monitor monitor(report_to(progress));
    const unsigned wanted = threads_of(threads);
    AcceleratorArrays<Layout> arrays;
    arrays.root = held.accelerator.root;
    {
      const nb::gil_scoped_release unlocked;
      arrays.nodes = records_of<typename Layout::Node>(held.nodes);
      arrays.blocks = records_of<typename Layout::Block>(held.blocks);
      arrays.placements = records_of<Placement>(held.placements);
      refit(arrays, scene.view(), wanted, monitor);
    }
    return dict_of(arrays, scene.view());
  });
}

// Traces every ray and returns the answers' bytes. times: of each ray, or None where nothing moves;
// trace takes Always, or the ray's Moment.
template <class Answer, class Trace>
nb::object trace_all(const nb::handle& rays, const nb::handle& times, int threads, Trace trace) {
  const Records<Ray> input("rays", rays);
  const std::vector<float> at = copied<float>("times", times);
  if (!times.is_none() && at.size() != input.size())
    throw std::invalid_argument("there must be one time for each ray");
  for (const float time : at)
    if (!(time >= 0.0f && time <= 1.0f)) throw std::invalid_argument("times must be 0 to 1");
  std::vector<Answer> answers(input.size());
  {
    const nb::gil_scoped_release unlocked;
    const auto trace_one = [&](const Ray& ray, Answer& answer) {
      if (at.empty()) trace(ray, answer, Always{});
      else trace(ray, answer, Moment<Whole>{at[static_cast<size_t>(&ray - input.data())], {}});
    };
    trace_batch(input.data(), answers.data(), input.size(), static_cast<int>(threads_of(threads)),
                trace_one);
  }
  return bytes_of(std::move(answers));
}

nb::object trace_closest(const nb::dict& built, nb::handle rays, uint32_t mask,
                         const std::string& layout, int threads, nb::handle times) {
  return with_traced_layout(layout, [&](auto kind) {
    using Layout = decltype(kind);
    const HeldAccelerator<Layout> held(built);
    return trace_all<Hit>(rays, times, threads, [&](const Ray& ray, Hit& hit, auto conditions) {
      closest_hit<Layout>(held.accelerator, ray, mask, hit, conditions);
    });
  });
}

nb::object trace_any(const nb::dict& built, nb::handle rays, uint32_t mask,
                     const std::string& layout, int threads, nb::handle times) {
  return with_traced_layout(layout, [&](auto kind) {
    using Layout = decltype(kind);
    const HeldAccelerator<Layout> held(built);
    return trace_all<uint8_t>(rays, times, threads, [&](const Ray& ray, uint8_t& hit, auto conditions) {
      hit = any_hit<Layout>(held.accelerator, ray, mask, conditions) ? 1 : 0;
    });
  });
}

nb::object surface_origins(nb::handle positions, nb::handle triangles, nb::handle meshes,
                           nb::handle instances, nb::handle rays, nb::handle hits, nb::handle keys,
                           nb::handle times) {
  const HeldScene held(positions, triangles, meshes, instances, keys);
  const SceneView scene = held.view();
  Monitor monitor({});
  const FaceArrays built = build_faces(scene, {nullptr, 0}, 1, monitor);
  const Records<Ray> r("rays", rays);
  const Records<Hit> h("hits", hits);
  if (r.size() != h.size()) throw std::invalid_argument("there must be one hit for each ray");
  const std::vector<float> at = copied<float>("times", times);
  if (!times.is_none() && at.size() != r.size())
    throw std::invalid_argument("there must be one time for each ray");
  std::vector<SurfaceOrigin> origins(r.size());
  for (size_t i = 0; i < r.size(); i++)
    origins[i] = surface_origin(scene, built, r.data()[i], h.data()[i], at.empty() ? 0.0f : at[i]);
  return bytes_of(std::move(origins));
}

nb::dict build_scene_faces(nb::handle positions, nb::handle triangles, nb::handle meshes,
                           nb::handle instances, nb::handle lights, nb::handle keys, int threads,
                           const nb::object& progress) {
  const HeldScene held(positions, triangles, meshes, instances, keys);
  const Records<Light> l("lights", lights);
  FaceArrays built;
  Monitor monitor(report_to(progress));
  {
    const nb::gil_scoped_release unlocked;
    built = build_faces(held.view(), {l.data(), l.size()}, threads_of(threads), monitor);
  }
  nb::dict result;
  result["faces"] = bytes_of(std::move(built.faces));
  result["instance_faces"] = bytes_of(std::move(built.instance_faces));
  result["light_faces"] = bytes_of(std::move(built.light_faces));
  return result;
}

}  // namespace

void bind_bvh(nb::module_& module) {
  module.attr("BUILDER_VERSION") = BUILDER_VERSION;
  module.def("build_accelerator", &build, nb::arg("positions"), nb::arg("triangles"),
             nb::arg("meshes"), nb::arg("instances"), nb::arg("layout") = "float8",
             nb::arg("threads") = 0, nb::arg("keys") = nb::none(), nb::arg("cut") = nb::none(),
             nb::arg("progress") = nb::none(),
             "The fields of an Accelerator for a scene: uint8 arrays for its pointers (to be kept "
             "alive; 64-byte aligned on the host), ints for its numbers. positions: float32 "
             "[V, 3]; keys of moving instances: float32 [K, 12]; cut: uint8 [T], 1 where an instance "
             "may cut a triangle out; the others: arrays of records. layout: 'float8' or "
             "'compressed8'. threads: 0 means one per core; the result is the same for any number. "
             "progress: called with the share that is done, 0 to 1, about every 30 ms; what it "
             "raises ends the build. Raises ValueError where a record cannot be used.");
  module.def("refit_accelerator", &refit_arrays, nb::arg("accelerator"), nb::arg("positions"),
             nb::arg("triangles"), nb::arg("meshes"), nb::arg("instances"),
             nb::arg("layout") = "float8", nb::arg("threads") = 0, nb::arg("keys") = nb::none(),
             nb::arg("cut") = nb::none(), nb::arg("progress") = nb::none(),
             "As build_accelerator, from the accelerator of a scene that differs only in where its "
             "vertices and instances are: the same trees with other boxes, and the same hits as "
             "those of a new build. Several times as fast; rays get slower the more a mesh changes "
             "its shape. Raises ValueError also where the scene has other triangles.");
  module.def("build_faces", &build_scene_faces, nb::arg("positions"), nb::arg("triangles"),
             nb::arg("meshes"), nb::arg("instances"), nb::arg("lights"),
             nb::arg("keys") = nb::none(), nb::arg("threads") = 0,
             nb::arg("progress") = nb::none(),
             "The fields faces, instance_faces and light_faces of a RenderJob, as uint8 arrays. "
             "threads and progress as for build_accelerator. Raises ValueError where a record cannot be used.");
  module.def("trace_closest", &trace_closest, nb::arg("accelerator"), nb::arg("rays"),
             nb::arg("mask") = 0xffffffffu, nb::arg("layout") = "float8", nb::arg("threads") = 1,
             nb::arg("times") = nb::none(),
             "The closest hit of each ray: the bytes of Hit records [N]. layout: the one that was "
             "built; 'exhaustive' tests every triangle of a 'float8' accelerator. times: float32 "
             "[N] from 0 to 1; without, everything stands where the shutter opens.");
  module.def("trace_any", &trace_any, nb::arg("accelerator"), nb::arg("rays"),
             nb::arg("mask") = 0xffffffffu, nb::arg("layout") = "float8", nb::arg("threads") = 1,
             nb::arg("times") = nb::none(), "Whether each ray hits anything: uint8 [N].");
  module.def("surface_origins", &surface_origins, nb::arg("positions"), nb::arg("triangles"),
             nb::arg("meshes"), nb::arg("instances"), nb::arg("rays"), nb::arg("hits"),
             nb::arg("keys") = nb::none(), nb::arg("times") = nb::none(),
             "Where a ray that leaves each hit begins, and the unit normal on the side that the "
             "ray came from: the bytes of float32 [N, 2, 3].");
}
