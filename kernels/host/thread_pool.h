// Work items over all cores.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

inline unsigned thread_count(unsigned wanted) {
  return wanted ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

// Calls work() on so many threads, this one among them, and returns when all have. Of what they
// throw, it throws what this thread did, else one of the others.
template <class Work>
void on_threads(unsigned threads, const Work& work) {
  std::vector<std::exception_ptr> thrown(threads);
  const auto guarded = [&](unsigned i) {
    try {
      work();
    } catch (...) {
      thrown[i] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    for (unsigned i = 1; i < threads; i++) others.emplace_back(guarded, i);
  } catch (const std::system_error&) {
    // The system allows no more threads: those that run do the work.
  }
  guarded(0);
  for (std::thread& thread : others) thread.join();
  for (const std::exception_ptr& exception : thrown)
    if (exception) std::rethrow_exception(exception);
}

// Calls work(item) for every item below count, on that many threads (0: one per core). Threads take
// tiles of consecutive items from a counter. What work throws ends it all.
template <class Work>
void parallel_for(uint32_t count, uint32_t tile, unsigned threads, const Work& work) {
  std::atomic<uint64_t> next{0};
  const uint64_t tiles = (uint64_t{count} + tile - 1) / tile;
  const auto useful = std::min<uint64_t>(thread_count(threads), std::max<uint64_t>(tiles, 1));
  on_threads(static_cast<unsigned>(useful), [&] {
    try {
      for (;;) {
        const uint64_t begin = next.fetch_add(tile, std::memory_order_relaxed);
        if (begin >= count) return;
        const auto end = static_cast<uint32_t>(std::min<uint64_t>(begin + tile, count));
        for (auto item = static_cast<uint32_t>(begin); item < end; item++) work(item);
      }
    } catch (...) {
      next = count;
      throw;
    }
  });
}
