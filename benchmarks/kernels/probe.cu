// What a GPU can do at best: move memory. STREAM's triad (McCalpin 1995), 12 bytes an item.
#include "portability.cuh"

struct TriadJob {
  float* a;
  const float *b, *c;
  uint32_t item_count;
};

KERNEL(triad, TriadJob, job, item) { job.a[item] = fused(3.0f, job.c[item], job.b[item]); }
