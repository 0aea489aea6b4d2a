// The kernels' entry points. Everything they do is in the headers, one idea each.
#include "bvh/trace_rays.cuh"
#include "integrator.cuh"
#include "sample_queue.cuh"
#include "wavefront.cuh"

// Adds samples first_sample to first_sample + sample_count - 1 of one pixel to the film.
template <class Job>
DEVICE void render_pixel(const Job& job, uint32_t item) {
  const PixelPosition position = pixel_of_item(job.first_item + item, job.width, job.height);
  // In memory, not in registers: a path needs those.
  FilmPixel& pixel = job.film[position.y * job.width + position.x];
  constexpr uint32_t abreast = ABREAST<Job>;
  Path paths[abreast];
  for (uint32_t i = 0; i < job.sample_count; i++) {
    if (i % abreast == 0) generate_abreast(job, position, job.first_sample + i, paths);
    add_sample(pixel, trace_path(job, paths[i % abreast]));
  }
}

KERNEL(render, RenderJob, job, item) { render_pixel(job, item); }

// For jobs with is_varying.
KERNEL(render_varying, VaryingJob, job, item) { render_pixel(job, item); }

// For jobs with is_textured.
KERNEL(render_textured, TexturedJob, job, item) { render_pixel(job, item); }

// The same in two steps: threads take samples until none is left; then the film adds them up.
WARP_KERNEL(render_persistent, QueuedJob<RenderJob>, job, item) { trace_queued_samples(job); }
WARP_KERNEL(render_persistent_varying, QueuedJob<VaryingJob>, job, item) {
  trace_queued_samples(job);
}
KERNEL(resolve_samples, QueuedJob<RenderJob>, job, item) { resolve_pixel(job, item); }

// The same in waves of four launches, each wave a segment of every path; then resolve_samples.
KERNEL(begin_wavefront, WavefrontJob<RenderJob>, job, item) { begin_wavefront_at(job, item); }
WARP_KERNEL(generate_paths, WavefrontJob<RenderJob>, job, item) { generate_in_wave(job, item); }
WARP_KERNEL(extend_paths, WavefrontJob<RenderJob>, job, item) { extend_in_wave(job, item); }
WARP_KERNEL(shade_paths, WavefrontJob<RenderJob>, job, item) { shade_in_wave(job, item); }
KERNEL(connect_paths, WavefrontJob<RenderJob>, job, item) { connect_in_wave(job, item); }
WARP_KERNEL(generate_paths_varying, WavefrontJob<VaryingJob>, job, item) {
  generate_in_wave(job, item);
}
WARP_KERNEL(extend_paths_varying, WavefrontJob<VaryingJob>, job, item) {
  extend_in_wave(job, item);
}
WARP_KERNEL(shade_paths_varying, WavefrontJob<VaryingJob>, job, item) { shade_in_wave(job, item); }
KERNEL(connect_paths_varying, WavefrontJob<VaryingJob>, job, item) { connect_in_wave(job, item); }
