// Embree 4 behind the records of the kernels: the peer of the ray benchmark, called on many rays at
// once so that neither side pays for Python. Compiled on demand by embree.py.
//
// The declarations are those of Embree's C interface, as far as it is used here: the wheel that
// brings the library brings no headers.
#include <xmmintrin.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "bvh/ray.cuh"
#include "scene_types.cuh"

extern "C" {
typedef struct RTCDeviceTy* RTCDevice;
typedef struct RTCSceneTy* RTCScene;
typedef struct RTCGeometryTy* RTCGeometry;
struct alignas(16) RTCRay {
  float org_x, org_y, org_z, tnear;
  float dir_x, dir_y, dir_z, time;
  float tfar;
  unsigned mask, id, flags;
};
struct alignas(16) RTCHit {
  float Ng_x, Ng_y, Ng_z, u, v;
  unsigned primID, geomID, instID[1], instPrimID[1];
};
struct RTCRayHit {
  RTCRay ray;
  RTCHit hit;
};
RTCDevice rtcNewDevice(const char* config);
int rtcGetDeviceError(RTCDevice device);
RTCScene rtcNewScene(RTCDevice device);
void rtcSetSceneFlags(RTCScene scene, int flags);
void rtcCommitScene(RTCScene scene);
void rtcReleaseScene(RTCScene scene);
void rtcReleaseDevice(RTCDevice device);
RTCGeometry rtcNewGeometry(RTCDevice device, int type);
void* rtcSetNewGeometryBuffer(RTCGeometry geometry, int type, unsigned slot, int format,
                              size_t stride, size_t count);
void rtcSetGeometryInstancedScene(RTCGeometry geometry, RTCScene scene);
void rtcSetGeometryTransform(RTCGeometry geometry, unsigned step, int format, const void* matrix);
void rtcCommitGeometry(RTCGeometry geometry);
void rtcAttachGeometryByID(RTCScene scene, RTCGeometry geometry, unsigned id);
void rtcReleaseGeometry(RTCGeometry geometry);
void rtcIntersect1(RTCScene scene, RTCRayHit* ray, void* arguments);
void rtcOccluded1(RTCScene scene, RTCRay* ray, void* arguments);
}

namespace {

constexpr int TRIANGLES = 0, INSTANCE = 121;            // RTC_GEOMETRY_TYPE_*
constexpr int INDEX_BUFFER = 0, VERTEX_BUFFER = 1;      // RTC_BUFFER_TYPE_*
constexpr int UINT3 = 0x5003, FLOAT3 = 0x9003;          // RTC_FORMAT_*
constexpr int FLOAT3X4_ROW_MAJOR = 0x9134;
constexpr int ROBUST = 1 << 2;                          // RTC_SCENE_FLAG_ROBUST
constexpr unsigned NONE = 0xffffffffu;                  // RTC_INVALID_GEOMETRY_ID

// Embree asks for denormals to be flushed; the kernels do not, for their bits' sake.
class FlushDenormals {
 public:
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
};

struct Scene {
  RTCDevice device;
  RTCScene top;
  std::map<uint32_t, RTCScene> of_mesh;
};

struct Arrays {
  const Float3* positions;
  const Triangle* triangles;
  const Mesh* meshes;
  const Instance* instances;
  uint32_t instance_count;
};

RTCScene new_scene(RTCDevice device, bool is_robust) {
  const RTCScene scene = rtcNewScene(device);
  if (is_robust) rtcSetSceneFlags(scene, ROBUST);
  return scene;
}

void attach(RTCScene scene, RTCGeometry geometry, uint32_t id) {
  rtcCommitGeometry(geometry);
  rtcAttachGeometryByID(scene, geometry, id);
  rtcReleaseGeometry(geometry);
}

RTCGeometry triangles_of(RTCDevice device, const Arrays& arrays, const Mesh& mesh,
                         const Transform& place) {
  const RTCGeometry geometry = rtcNewGeometry(device, TRIANGLES);
  auto* points = static_cast<Float3*>(rtcSetNewGeometryBuffer(
      geometry, VERTEX_BUFFER, 0, FLOAT3, sizeof(Float3), mesh.vertex_count));
  for (uint32_t i = 0; i < mesh.vertex_count; i++)
    points[i] = transform_point(place, arrays.positions[mesh.first_vertex + i]);
  auto* vertices = static_cast<uint32_t*>(
      rtcSetNewGeometryBuffer(geometry, INDEX_BUFFER, 0, UINT3, 12, mesh.triangle_count));
  for (uint32_t i = 0; i < mesh.triangle_count; i++)
    memcpy(vertices + 3 * i, arrays.triangles[mesh.first_triangle + i].vertex, 12);
  return geometry;
}

RTCGeometry instance_of(RTCDevice device, RTCScene mesh, const Transform& place) {
  const RTCGeometry geometry = rtcNewGeometry(device, INSTANCE);
  rtcSetGeometryInstancedScene(geometry, mesh);
  rtcSetGeometryTransform(geometry, 0, FLOAT3X4_ROW_MAJOR, place.rows);
  return geometry;
}

// As the kernels' builder does: a mesh used once is brought to the world, others are instanced.
void fill(Scene& scene, const Arrays& arrays, bool is_robust) {
  constexpr Transform IDENTITY = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};
  std::map<uint32_t, int> uses;
  for (uint32_t i = 0; i < arrays.instance_count; i++) uses[arrays.instances[i].mesh]++;
  for (uint32_t i = 0; i < arrays.instance_count; i++) {
    const Instance& instance = arrays.instances[i];
    const Mesh& mesh = arrays.meshes[instance.mesh];
    if (uses[instance.mesh] == 1) {
      attach(scene.top, triangles_of(scene.device, arrays, mesh, instance.world_from_object), i);
      continue;
    }
    const auto [entry, is_new] = scene.of_mesh.try_emplace(instance.mesh);
    if (is_new) {
      entry->second = new_scene(scene.device, is_robust);
      attach(entry->second, triangles_of(scene.device, arrays, mesh, IDENTITY), 0);
    }
    attach(scene.top, instance_of(scene.device, entry->second, instance.world_from_object), i);
  }
}

RTCRay embree_ray(const Ray& ray) {
  const Float3 o = ray.origin, d = ray.direction;
  return {o.x, o.y, o.z, ray.t_min, d.x, d.y, d.z, 0.0f, ray.t_max, NONE, 0, 0};
}

}  // namespace

extern "C" {

void embree_release(Scene* scene) {
  rtcReleaseScene(scene->top);
  for (const auto& [mesh, own] : scene->of_mesh) rtcReleaseScene(own);
  rtcReleaseDevice(scene->device);
  delete scene;
}

// A scene with its geometry, of which nothing is built yet. Null where Embree reports an error.
Scene* embree_scene(const Arrays* arrays, int threads, int is_robust) {
  const std::string config = "threads=" + std::to_string(threads);
  const RTCDevice device = rtcNewDevice(config.c_str());
  auto* scene = new Scene{device, new_scene(device, is_robust != 0), {}};
  fill(*scene, *arrays, is_robust != 0);
  if (rtcGetDeviceError(device) == 0) return scene;
  embree_release(scene);
  return nullptr;
}

// Builds the trees, at Embree's default quality: medium.
void embree_build(const Scene* scene) {
  for (const auto& [mesh, own] : scene->of_mesh) rtcCommitScene(own);
  rtcCommitScene(scene->top);
}

void embree_closest(const Scene* scene, const Ray* rays, Hit* hits, size_t count) {
  const FlushDenormals flush;
  for (size_t i = 0; i < count; i++) {
    RTCRayHit query;
    query.ray = embree_ray(rays[i]);
    query.hit.geomID = query.hit.instID[0] = NONE;
    rtcIntersect1(scene->top, &query, nullptr);
    const bool is_instanced = query.hit.instID[0] != NONE;
    hits[i] = query.hit.geomID == NONE
                  ? Hit{rays[i].t_max, 0.0f, 0.0f, NO_INSTANCE, NO_INSTANCE}
                  : Hit{query.ray.tfar, query.hit.u, query.hit.v,
                        is_instanced ? query.hit.instID[0] : query.hit.geomID, query.hit.primID};
  }
}

void embree_any(const Scene* scene, const Ray* rays, uint8_t* occluded, size_t count) {
  const FlushDenormals flush;
  for (size_t i = 0; i < count; i++) {
    RTCRay ray = embree_ray(rays[i]);
    rtcOccluded1(scene->top, &ray, nullptr);
    occluded[i] = ray.tfar < 0.0f ? 1 : 0;  // Embree's mark: minus infinity
  }
}
}
