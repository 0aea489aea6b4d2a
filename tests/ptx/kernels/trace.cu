// Traces rays against an accelerator: traversal by itself, hit for hit.
#include "bvh/traverse.cuh"

struct TraceJob {
  Accelerator accelerator;
  const Ray* rays;
  Hit* closest;
  uint32_t* any;
  uint32_t item_count, mask;
};

KERNEL(trace, TraceJob, job, item) {
  const Ray ray = job.rays[item];
  closest_hit(job.accelerator, ray, job.mask, job.closest[item]);
  job.any[item] = any_hit(job.accelerator, ray, job.mask);
}
