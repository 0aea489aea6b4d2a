// Whether a job can be run without reading or writing elsewhere.
#pragma once
#include <nanobind/nanobind.h>

#include <string>

#include "../render_job.cuh"

// A kernel's job from its bytes. Throws ValueError where they are not as many as it has.
template <class Job>
Job job_from_bytes(const nanobind::bytes& bytes, const char* layout) {
  if (bytes.size() != sizeof(Job))
    throw nanobind::value_error(("a " + std::string(layout) + " has " +
                                 std::to_string(sizeof(Job)) + " bytes, not " +
                                 std::to_string(bytes.size()) + "; pack it by layouts()['" +
                                 layout + "']").c_str());
  Job job;
  memcpy(static_cast<void*>(&job), bytes.c_str(), sizeof job);
  return job;
}

// Throws ValueError.
inline void check(const RenderJob& job) {
  using nanobind::value_error;
  if (uint64_t{job.first_item} + job.item_count > uint64_t{job.width} * job.height)
    throw value_error("RenderJob's items end beyond width * height");
  if (!job.film) throw value_error("RenderJob.film is null");
  if (job.max_depth == 0) throw value_error("RenderJob.max_depth must be at least 1");
  if (job.sample_count == 0) throw value_error("RenderJob.sample_count must be at least 1");
  if (job.first_sample + job.sample_count < job.first_sample)
    throw value_error("RenderJob.first_sample + sample_count exceeds 32 bits");
}
