// Triangles of instances that move, at the time of a path.
#pragma once
#include "render_job.cuh"

// A point of a surface, and what share of the light table's density holds there: the area of its
// triangle where the shutter opens, over that of now.
struct SurfacePoint {
  FacePoint point;
  float emission_share;
};

DEVICE bool moves(const Instance& instance) { return instance.motion.key_count != 0; }

// Never less than what the transform stretches a length by: the Frobenius norm, rounded up.
DEVICE float stretch_of(const Transform& m) {
  float squares = 0.0f;
  UNROLL for (int i = 0; i < 3; i++) {
    const Float3 row = {m.rows[i][0], m.rows[i][1], m.rows[i][2]};
    squares += dot(row, row);
  }
  return sqrtf(squares) * 1.000001f;
}

// By how much areas across a normal, of unit length in object space, grow: the length of what the
// matrix of cofactors, the transposed inverse times the determinant, makes of it.
DEVICE float area_stretch(const Transform& world_from_object, const Transform& object_from_world,
                          Float3 normal) {
  const auto r = world_from_object.rows;
  const Float3 a = {r[0][0], r[0][1], r[0][2]}, b = {r[1][0], r[1][1], r[1][2]},
               c = {r[2][0], r[2][1], r[2][2]};
  return fabsf(dot(a, cross(b, c))) * length(transform_normal(object_from_world, normal));
}

DEVICE SurfacePoint moved_point(const RenderJob& job, uint32_t instance_index, uint32_t triangle,
                                Float2 weights, float time) {
  const Instance& instance = job.instances[instance_index];
  const InstanceFaces& faces = job.instance_faces[instance_index];
  const Face& face = job.faces[faces.first_face + triangle];
  const Pose pose = pose_at(job.accelerator.keys, instance.motion, time);
  const FacePoint at = point_on(face, weights.x, weights.y);
  const Float3 normal = normalize(transform_normal(pose.object_from_world, at.normal));
  const float error = at.error * stretch_of(pose.world_from_object) +
                      dot(absolute(normal), moved_error(pose, faces.error));
  const float first =
      area_stretch(instance.world_from_object, instance.object_from_world, at.normal);
  return {{transform_point(pose.world_from_object, at.position), normal, error},
          first / area_stretch(pose.world_from_object, pose.object_from_world, at.normal)};
}
