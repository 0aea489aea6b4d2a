// The Python module of one instruction set; gpuqueue/device/native.py picks it at import.
#include "module.h"

NB_MODULE(MODULE_NAME, module) {
  bind_layouts(module);
  bind_bvh(module);
  bind_render(module);
  bind_schedules(module);
}
