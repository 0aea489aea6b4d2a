// What tests ask of the double (control.py) beyond the driver's own calls.
#pragma once
#include <stddef.h>
#include <stdint.h>
#pragma GCC visibility push(default)

// What was refused or left behind since the last time, a line each.
void double_take_mistakes(char *into, size_t bytes);
// Notes a call that is not modelled; returns CUDA_ERROR_NOT_SUPPORTED.
int double_unmodelled(const char *function);
// Bytes of the device from now on.
void double_set_memory(uint64_t total);
uint64_t double_memory_used(void);
// The next call that needs the device fails with this code, and so do all after it.
void double_break(int code);
// When streams do what they were given: 0 when somebody waits for it, 1 at once, 2 at any time in
// between, chosen at random.
void double_set_schedule(int schedule, uint32_t seed);
uint64_t double_launch_count(void);

#pragma GCC visibility pop
