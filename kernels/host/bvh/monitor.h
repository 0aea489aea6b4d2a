// How whoever waits for a build learns how far it is, and ends it.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <thread>

class Monitor {
 public:
  // Told the share that is done, 0 to 1, about every 30 ms, by the thread that made the monitor.
  // What it throws ends the build.
  using Report = std::function<void(double)>;

  explicit Monitor(Report report) : report_(std::move(report)) {}

  // How much work there is, in a unit of the builder's.
  void expect(uint64_t work) { expected_ = work; }

  // To be called by every thread at least every few milliseconds of work. Throws where the build
  // is to end.
  void advance(uint64_t work) {
    done_.fetch_add(work, std::memory_order_relaxed);
    if (is_over_) throw Over();
    if (!report_ || std::this_thread::get_id() != owner_) return;
    const auto now = Clock::now();
    if (now - last_ < INTERVAL) return;
    last_ = now;
    tell();
  }

  // Waits for what another thread does, and goes on reporting meanwhile.
  template <class Future>
  void wait(Future& future) {
    while (future.wait_for(INTERVAL) != std::future_status::ready) advance(0);
  }

  // Makes all threads throw.
  void end() { is_over_ = true; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds INTERVAL{30};
  // Thrown in other threads than the one that knows why.
  struct Over {};

  void tell() {
    try {
      const auto share = static_cast<double>(done_) / static_cast<double>(expected_ | 1);
      report_(share < 1.0 ? share : 1.0);
    } catch (...) {
      end();
      throw;
    }
  }

  const Report report_;
  const std::thread::id owner_ = std::this_thread::get_id();
  Clock::time_point last_ = Clock::now();
  std::atomic<uint64_t> done_{0}, expected_{0};
  std::atomic<bool> is_over_{false};
};
