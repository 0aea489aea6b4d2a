// The kernels' entry points. Everything they do is in the headers, one idea each.
#include "bvh/trace_rays.cuh"
#include "integrator.cuh"

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
