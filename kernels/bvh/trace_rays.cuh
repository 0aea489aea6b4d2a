// Traversal alone as kernels: for benchmarks, and for tests of the GPU's code. pathtrace.cu
// includes this file to have both entry points in the GPU program.
#pragma once
#include "traverse.cuh"

// Item i traces rays[i]. trace_rays writes hits, trace_shadow_rays writes occluded (1 or 0).
struct TraceRaysJob {
  Accelerator accelerator;
  const Ray* rays;
  Hit* hits;
  uint32_t* occluded;
  uint32_t item_count;
  uint32_t mask;
};

KERNEL(trace_rays, TraceRaysJob, job, item) {
  closest_hit(job.accelerator, job.rays[item], job.mask, job.hits[item]);
}

KERNEL(trace_shadow_rays, TraceRaysJob, job, item) {
  job.occluded[item] = any_hit(job.accelerator, job.rays[item], job.mask) ? 1u : 0u;
}
