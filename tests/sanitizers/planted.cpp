// Mistakes of each kind that a sanitizer is there to find, made with the kernels' own headers.
#include <atomic>
#include <thread>
#include <vector>

#include "film.cuh"
#include "host/thread_pool.h"

extern "C" {

// A film that is one pixel short.
void film_too_short() {
  const int count = 64;
  std::vector<FilmPixel> film(count - 1);
  for (int i = 0; i < count; i++) add_sample(film.data()[i], Float3{1.0f, 1.0f, 1.0f});
}

// A film that is gone when its samples come.
void film_given_back() {
  auto* film = new std::vector<FilmPixel>(64);
  FilmPixel* pixels = film->data();
  delete film;
  add_sample(pixels[0], Float3{1.0f, 1.0f, 1.0f});
}

// All threads add to one pixel.
void pixel_of_all_threads() {
  std::vector<FilmPixel> film(1);
  std::atomic<int> threads{0};
  parallel_for(100000, 16, 4, [&](uint32_t) {
    // One thread could be done with all before the next one starts. Relaxed: this orders nothing.
    thread_local bool is_counted = false;
    if (!is_counted) threads.fetch_add(1, std::memory_order_relaxed);
    is_counted = true;
    while (threads.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
    add_sample(film[0], Float3{1.0f, 1.0f, 1.0f});
  });
}

int index_beyond_integers(int index) { return index * 65536; }
int cell_of_coordinate(float coordinate) { return static_cast<int>(coordinate); }
float share_of(float part, float whole) { return part / whole; }
}
