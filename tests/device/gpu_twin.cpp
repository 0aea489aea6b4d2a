// The render kernel as a GPU runs it, compressed nodes and all, as a function of the host.
#include "simd.cuh"
#define ON_GPU true  // from here on: traverse.cuh takes the GPU's node layout
#include "pathtrace.cu"

extern "C" void render(const RenderJob* job) {
  const VaryingJob varying = {*job};
  for (uint32_t item = 0; item < job->item_count; item++)
    if (job->is_varying) render_varying_item(varying, item);
    else render_item(*job, item);
}
extern "C" size_t job_bytes() { return sizeof(RenderJob); }
