// The tests' own door to the double.
#include "control.h"

#include "state.h"

void double_set_memory(uint64_t total) {
  ENTER;
  memory_total = total;
}

uint64_t double_memory_used(void) {
  ENTER;
  return memory_used;
}

void double_break(int code) {
  ENTER;
  break_next_call((CUresult)code);
}

void double_set_schedule(int schedule, uint32_t seed) {
  ENTER;
  set_schedule((enum Schedule)schedule, seed);
}

uint64_t double_launch_count(void) {
  ENTER;
  return launch_count;
}
