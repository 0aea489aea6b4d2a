// render(job, threads), the names of the shaders, and the shaders and the sampler on arrays
// of inputs, so that tests can hold them against theory.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../pathtrace.cu"
#include "module.h"
#include "render_job_check.h"
#include "shader_layouts.h"
#include "thread_pool.h"

namespace nb = nanobind;
using namespace nb::literals;

// Rows of floats in and out. Arrays of another type or shape are refused by nanobind.
template <int Columns>
using Rows = nb::ndarray<const float, nb::shape<-1, Columns>, nb::c_contig, nb::device::cpu>;

static nb::object new_rows(size_t count, size_t columns) {
  float* data = new float[count * columns]();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, float>(data, {count, columns}, owner));
}
static float* data_of(const nb::object& rows) {
  return nb::cast<nb::ndarray<float>>(rows).data();
}

template <class Job>
static void render_all(const Job& job, unsigned threads) {
  parallel_for(job.item_count, TILE * TILE, threads,
               [&](uint32_t item) { render_pixel(job, item); });
}

static void render_on_threads(const nb::bytes& bytes, unsigned threads) {
  const auto job = job_from_bytes<RenderJob>(bytes, "RenderJob");
  check(job);
  nb::gil_scoped_release release;
  if (job.is_textured) render_all(TexturedJob{{job}}, threads);
  else if (job.is_varying) render_all(VaryingJob{job}, threads);
  else render_all(job, threads);
}

static std::vector<std::string> shader_names() {
  std::vector<std::string> names;
  for (const Layout& layout : shader_layouts()) names.push_back(layout.name);
  return names;
}

static ShaderCall call_of(uint32_t shader, const nb::bytes& parameters) {
  const std::vector<Layout> all = shader_layouts();
  if (shader >= all.size()) throw nb::value_error("no shader has this id; see shaders()");
  if (parameters.size() != all[shader].size)
    throw nb::value_error(("the parameters of '" + all[shader].name + "' have " +
                           std::to_string(all[shader].size) + " bytes").c_str());
  return {shader, parameters.c_str()};
}

static Float3 row(const Rows<3>& rows, size_t i) { return {rows(i, 0), rows(i, 1), rows(i, 2)}; }

// [N, 7]: incoming, weight, pdf
static nb::object shader_sample(uint32_t shader, const nb::bytes& parameters,
                                const Rows<3>& outgoing, const Rows<2>& u, bool front,
                                float distance) {
  const ShaderCall call = call_of(shader, parameters);
  if (outgoing.shape(0) != u.shape(0)) throw nb::value_error("outgoing and u differ in length");
  const nb::object result = new_rows(u.shape(0), 7);
  float* out = data_of(result);
  for (size_t i = 0; i < u.shape(0); i++, out += 7) {
    const Scattering s = sample(call, {row(outgoing, i), front, distance}, {u(i, 0), u(i, 1)});
    memcpy(out, &s, sizeof s);
  }
  return result;
}

// [N, 4]: BSDF * |cos|, pdf
static nb::object shader_evaluate(uint32_t shader, const nb::bytes& parameters,
                                  const Rows<3>& outgoing, const Rows<3>& incoming, bool front) {
  const ShaderCall call = call_of(shader, parameters);
  if (outgoing.shape(0) != incoming.shape(0))
    throw nb::value_error("outgoing and incoming differ in length");
  const nb::object result = new_rows(incoming.shape(0), 4);
  float* out = data_of(result);
  for (size_t i = 0; i < incoming.shape(0); i++, out += 4) {
    const Evaluation e = evaluate(call, {row(outgoing, i), front, 0.0f}, row(incoming, i));
    memcpy(out, &e, sizeof e);
  }
  return result;
}

// [count, 3]: a pair, and the number that draw1 gives, of consecutive samples of one pixel
static nb::object sampler_draw(uint32_t x, uint32_t y, uint32_t first_sample, uint32_t count,
                               uint32_t dimension, uint32_t seed) {
  const nb::object result = new_rows(count, 3);
  float* out = data_of(result);
  for (uint32_t i = 0; i < count; i++, out += 3) {
    const Sampler sampler = sampler_for(x, y, first_sample + i, seed);
    const Float2 pair = draw2(sampler, dimension);
    out[0] = pair.x;
    out[1] = pair.y;
    out[2] = draw1(sampler, dimension);
  }
  return result;
}

// [N, 3]: sine and cosine of row[0] turns, row[0] to the power of row[1]
static nb::object elementary(const Rows<2>& arguments) {
  const size_t count = arguments.shape(0);
  const nb::object result = new_rows(count, 3);
  float* out = data_of(result);
  for (size_t i = 0; i < count; i++, out += 3) {
    const SinCos turn = sin_cos_of_turns(arguments(i, 0));
    out[0] = turn.sine;
    out[1] = turn.cosine;
    out[2] = power(arguments(i, 0), arguments(i, 1));
  }
  return result;
}

void bind_render(nb::module_& module) {
  module.def("render", &render_on_threads, "job"_a, "threads"_a = 0,
             "Adds the samples of a RenderJob (its bytes) to its film. threads 0: one per core.");
  module.def("shaders", &shader_names, "Names of the shaders, in the order of their ids.");
  module.def("shader_sample", &shader_sample, "shader"_a, "parameters"_a, "outgoing"_a, "u"_a,
             "front"_a = true, "distance"_a = 0.0f,
             "[N, 7] incoming, weight, pdf for directions [N, 3] and numbers [N, 2].");
  module.def("shader_evaluate", &shader_evaluate, "shader"_a, "parameters"_a, "outgoing"_a,
             "incoming"_a, "front"_a = true, "[N, 4] BSDF * |cos|, pdf for directions [N, 3].");
  module.def("sampler_draw", &sampler_draw, "x"_a, "y"_a, "first_sample"_a, "count"_a,
             "dimension"_a, "seed"_a, "[count, 3] a pair and a single number for consecutive samples of a pixel.");
  module.def("elementary", &elementary, "arguments"_a,
             "[N, 3] sin and cos of 2 pi x, and x^y, for rows x, y.");
}
