#include "module.h"

void bind_bvh(nanobind::module_&) {}
