#include "module.h"

void bind_render(nanobind::module_&) {}
