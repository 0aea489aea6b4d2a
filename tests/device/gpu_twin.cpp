// The kernels as a GPU runs them, compressed nodes and all, as a function of the host.
#include <cstring>

#include "simd.cuh"
#define ON_GPU true  // from here on: traverse.cuh takes the GPU's node layout
#include "pathtrace.cu"

template <class Job, void (*kernel)(const Job&, uint32_t)>
static void run(const void* bytes) {
  Job job;
  memcpy(&job, bytes, sizeof job);
  for (uint32_t item = 0; item < job.item_count; item++) kernel(job, item);
}

static const struct {
  const char* name;
  void (*run)(const void* job);
} KERNELS[] = {
#define RUN(kernel, ...) {#kernel, run<__VA_ARGS__, kernel##_item>}
    RUN(render, RenderJob),
    RUN(render_varying, VaryingJob),
    RUN(render_textured, TexturedJob),
    RUN(render_persistent, QueuedJob<RenderJob>),
    RUN(render_persistent_varying, QueuedJob<VaryingJob>),
    RUN(resolve_samples, QueuedJob<RenderJob>),
    RUN(begin_wavefront, WavefrontJob<RenderJob>),
    RUN(generate_paths, WavefrontJob<RenderJob>),
    RUN(extend_paths, WavefrontJob<RenderJob>),
    RUN(shade_paths, WavefrontJob<RenderJob>),
    RUN(connect_paths, WavefrontJob<RenderJob>),
    RUN(generate_paths_varying, WavefrontJob<VaryingJob>),
    RUN(extend_paths_varying, WavefrontJob<VaryingJob>),
    RUN(shade_paths_varying, WavefrontJob<VaryingJob>),
    RUN(connect_paths_varying, WavefrontJob<VaryingJob>),
};

// False if there is no such kernel.
extern "C" bool launch(const char* name, const void* job) {
  for (const auto& kernel : KERNELS)
    if (!strcmp(kernel.name, name)) return kernel.run(job), true;
  return false;
}
