// launch(kernel, job): those kernels of pathtrace.cu that share work out among threads, run by the
// host's threads as a GPU's would run them.
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "../pathtrace.cu"
#include "module.h"
#include "render_job_check.h"
#include "thread_pool.h"

namespace nb = nanobind;
using namespace nb::literals;

using Items = nb::ndarray<const uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// How the host runs the items of a kernel.
struct Run {
  const uint32_t* order;  // null: as they are numbered
  unsigned threads;

  template <class Work>
  void operator()(uint32_t count, const Work& work) const {
    // One by one, so that threads meet in the queues as often as can be.
    if (!order) return parallel_for(count, 1, threads, work);
    parallel_for(count, 1, threads, [&](uint32_t i) { work(order[i]); });
  }
};

static void check(const RenderJob& render, const SampleQueue& queue) {
  check(render);
  const uint64_t total = uint64_t{render.item_count} * render.sample_count;
  if (total >= 1u << 31) throw nb::value_error("SampleQueue: a batch has 2^31 samples or more");
  if (queue.end > total) throw nb::value_error("SampleQueue.end is beyond the batch's samples");
  if (!queue.radiances || !queue.taken) throw nb::value_error("a pointer of SampleQueue is null");
}
template <class Render>
static void check(const QueuedJob<Render>& job) {
  check(job.render, job.queue);
}
template <class Render>
static void check(const WavefrontJob<Render>& job) {
  check(job.render, job.queue);
  const Wavefront& w = job.wavefront;
  if (!(w.paths && w.hits && w.connections && w.samples && w.live && w.free && w.shading &&
        w.counts))
    throw nb::value_error("a pointer of Wavefront is null");
  if (w.slots == 0 || w.slots >= 1u << 30)
    throw nb::value_error("Wavefront.slots must be at least 1 and below 2^30");
  if (job.item_count < items_of_wave(w.slots))
    throw nb::value_error(("WavefrontJob.item_count must be at least " +
                           std::to_string(items_of_wave(w.slots)) + " for so many slots").c_str());
}

static void check_order(const Items& order, uint32_t item_count) {
  if (order.shape(0) != item_count) throw nb::value_error("order must have item_count numbers");
  for (uint32_t i = 0; i < item_count; i++)
    if (order(i) >= item_count) throw nb::value_error("order has a number beyond item_count");
}

template <class Job, void (*kernel)(const Job&, uint32_t)>
static void launch_kernel(const nb::bytes& bytes, const char* layout, unsigned threads,
                          const std::optional<Items>& order) {
  const Job job = job_from_bytes<Job>(bytes, layout);
  check(job);
  if (order) check_order(*order, job.item_count);
  const Run run = {order ? order->data() : nullptr, threads};
  nb::gil_scoped_release release;
  run(job.item_count, [&](uint32_t item) { kernel(job, item); });
}

struct Kernel {
  const char *name, *layout;
  void (*launch)(const nb::bytes& bytes, const char* layout, unsigned threads,
                 const std::optional<Items>& order);
};

#define QUEUED(name, Render) \
  {#name, "QueuedJob", launch_kernel<QueuedJob<Render>, name##_item>}
#define WAVEFRONT(name, Render) \
  {#name, "WavefrontJob", launch_kernel<WavefrontJob<Render>, name##_item>}
static const Kernel KERNELS[] = {
    QUEUED(render_persistent, RenderJob),
    QUEUED(render_persistent_varying, VaryingJob),
    QUEUED(resolve_samples, RenderJob),
    WAVEFRONT(begin_wavefront, RenderJob),
    WAVEFRONT(generate_paths, RenderJob),
    WAVEFRONT(extend_paths, RenderJob),
    WAVEFRONT(shade_paths, RenderJob),
    WAVEFRONT(connect_paths, RenderJob),
    WAVEFRONT(generate_paths_varying, VaryingJob),
    WAVEFRONT(extend_paths_varying, VaryingJob),
    WAVEFRONT(shade_paths_varying, VaryingJob),
    WAVEFRONT(connect_paths_varying, VaryingJob),
};

static void launch(const std::string& name, const nb::bytes& job, unsigned threads,
                   const std::optional<Items>& order) {
  std::string known;
  for (const Kernel& kernel : KERNELS) {
    if (name == kernel.name) return kernel.launch(job, kernel.layout, threads, order);
    known += std::string(known.empty() ? "" : ", ") + kernel.name;
  }
  throw nb::value_error(("there is no kernel '" + name + "'; known: " + known).c_str());
}

// Bytes for each slot in the arrays of a Wavefront, under the names of its fields.
static nb::dict wavefront_slot_bytes() {
  nb::dict bytes;
  bytes["paths"] = sizeof(Path);
  bytes["hits"] = sizeof(Hit);
  bytes["connections"] = sizeof(PendingConnection);
  bytes["samples"] = sizeof(uint32_t);
  bytes["live"] = 2 * sizeof(uint32_t);
  bytes["free"] = 2 * sizeof(uint32_t);
  bytes["shading"] = SHADER_KINDS * sizeof(uint32_t);
  return bytes;
}

void bind_schedules(nb::module_& module) {
  module.def("launch", &launch, "kernel"_a, "job"_a, "threads"_a = 0, "order"_a = nb::none(),
             "Runs a kernel on the item_count items of its job (bytes), in an order [item_count] "
             "of their numbers or as they come. threads 0: one per core.");
  module.def("wavefront_slot_bytes", &wavefront_slot_bytes,
             "Bytes for each slot in the arrays of a Wavefront, by field.");
  module.def("wavefront_items", [](uint32_t slots) { return items_of_wave(slots); }, "slots"_a,
             "Items that a wavefront's kernels are launched on.");
}
