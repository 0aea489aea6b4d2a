// Samples as work that is handed out one by one: whoever is free takes the next, so that no
// processor waits for the longest path, or for want of pixels. Aila and Laine 2009, "Understanding
// the Efficiency of Ray Traversal on GPUs"; Novák, Havran and Dachsbacher 2010, "Path Regeneration
// for Interactive Path Tracing". Each sample's radiance goes to a place of its own, and each
// pixel's thread adds them up afterwards: the same bits as without a queue, whoever took which sample,
// and no atomic operation on the film.
#pragma once
#include "integrator.cuh"

// Sample n of a batch is number n % sample_count of the job's pixel n / sample_count. A launch
// hands out those below end; a later one with a greater end goes on.
struct SampleQueue {
  Float3* radiances;  // [item_count * sample_count]
  uint32_t* taken;    // how many have been handed out; 0 before a batch's first launch
  uint32_t end;       // at most item_count * sample_count
};

template <class Render>
struct QueuedJob {
  Render render;
  SampleQueue queue;
  uint32_t item_count;  // threads, any number, for render_persistent; pixels for resolve_samples
};

template <class Job>
DEVICE Path path_of_sample(const Job& job, uint32_t sample) {
  const uint32_t item = sample / job.sample_count;
  return generate(job, pixel_of_item(job.first_item + item, job.width, job.height),
                  job.first_sample + (sample - item * job.sample_count));
}

struct TakenSample {
  uint32_t number;
  bool is_one;  // there was one left
};

// All lanes of a warp call it; those with `takes` get a sample each.
DEVICE TakenSample take_sample(const SampleQueue& queue, bool takes) {
  const uint32_t number = take_number(*queue.taken, takes);
  const bool is_one = takes && number < queue.end;
  if (takes && !is_one) lower_to(*queue.taken, queue.end);
  return {number, is_one};
}

// A thread of many that stay until no sample is left: when its path ends it begins another, while
// the other lanes of its warp go on with theirs. All take their segments together.
template <class Render>
DEVICE void trace_queued_samples(const QueuedJob<Render>& job) {
  uint32_t sample = 0;
  Path path = {};
  for (bool is_over = false;;) {
    const bool takes = !path.is_alive && !is_over;
    const TakenSample taken = take_sample(job.queue, takes);
    if (taken.is_one) {
      sample = taken.number;
      path = path_of_sample(job.render, sample);
    }
    is_over = is_over || (takes && !taken.is_one);
    if (!any_in_warp(path.is_alive)) return;
    if (!path.is_alive) continue;
    take_segment(job.render, path);
    if (!path.is_alive) job.queue.radiances[sample] = path.radiance;
  }
}

// Adds what a batch's samples of one pixel found to the film, once all have been handed out, and
// makes the queue ready for the next batch.
template <class Render>
DEVICE void resolve_pixel(const QueuedJob<Render>& job, uint32_t item) {
  const RenderJob& render = job.render;
  const PixelPosition position =
      pixel_of_item(render.first_item + item, render.width, render.height);
  FilmPixel& on_film = render.film[position.y * render.width + position.x];
  FilmPixel pixel = on_film;
  for (uint32_t i = 0; i < render.sample_count; i++)
    add_sample(pixel, job.queue.radiances[item * render.sample_count + i]);
  on_film = pixel;
  if (item == 0) *job.queue.taken = 0;
}
