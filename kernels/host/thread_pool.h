// Work items over all cores.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

inline unsigned thread_count(unsigned wanted) {
  return wanted ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

// Calls work(item) for every item below count, on that many threads (0: one per core). Threads take
// tiles of consecutive items from a counter.
template <class Work>
void parallel_for(uint32_t count, uint32_t tile, unsigned threads, const Work& work) {
  std::atomic<uint64_t> next{0};
  const auto take_tiles = [&] {
    for (;;) {
      const uint64_t begin = next.fetch_add(tile, std::memory_order_relaxed);
      if (begin >= count) return;
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(begin + tile, count));
      for (auto item = static_cast<uint32_t>(begin); item < end; item++) work(item);
    }
  };
  const uint64_t tiles = (uint64_t{count} + tile - 1) / tile;
  const auto others = std::min<uint64_t>(thread_count(threads), std::max<uint64_t>(tiles, 1)) - 1;
  std::vector<std::thread> pool;
  try {
    for (uint64_t i = 0; i < others; i++) pool.emplace_back(take_tiles);
  } catch (const std::system_error&) {
    // The system allows no more threads: those that run do the work.
  }
  take_tiles();
  for (std::thread& thread : pool) thread.join();
}
