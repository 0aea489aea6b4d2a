// Many rays on a few threads, each a contiguous share.
#pragma once
#include <cstddef>
#include <future>
#include <vector>

#include "../../bvh/ray.cuh"

// Calls trace(rays[i], answers[i]) for every ray.
template <class Answer, class Trace>
void trace_batch(const Ray* rays, Answer* answers, size_t count, int threads, Trace trace) {
  const auto run = [&](size_t first, size_t last) {
    for (size_t i = first; i < last; i++) trace(rays[i], answers[i]);
  };
  const auto shares = static_cast<size_t>(threads);
  std::vector<std::future<void>> others;
  for (size_t share = 1; share < shares; share++)
    others.push_back(std::async(std::launch::async, run, count * share / shares,
                                count * (share + 1) / shares));
  run(0, count / shares);
  for (auto& other : others) other.get();
}
