// The parts of the Python module, each in a file of its own.
#pragma once
#include <nanobind/nanobind.h>

void bind_layouts(nanobind::module_& module);
void bind_bvh(nanobind::module_& module);
void bind_render(nanobind::module_& module);
void bind_schedules(nanobind::module_& module);
