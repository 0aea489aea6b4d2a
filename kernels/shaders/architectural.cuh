// The basics of mental ray's mia_material: reflectivity by viewing angle along a free curve; what
// is not reflected is transmitted, the rest scattered by a matt base. Depends on the viewer's angle
// alone, hence conserves energy exactly and, like its model, is not reciprocal.
#pragma once
#include "../warps.cuh"
#include "fresnel.cuh"
#include "ggx.cuh"
#include "shader.cuh"

struct Architectural {
  Float3 diffuse;
  Float3 reflection;
  float r0, r90, curve;  // reflectivity r0 + (r90 - r0) (1 - cos)^curve, times reflection
  float alpha;           // GGX width of the reflection; 0: a mirror
  Float3 transmission;   // its largest component is taken from the base
  float ior;             // inside over outside
  uint32_t thin_walled;  // 1: light passes straight through

  DEVICE Evaluation evaluate(const Incidence& at, Float3 incoming) const {
    if (incoming.z <= 0.0f) return no_light();
    const Shares share = shares(at);
    const float matt = cosine_hemisphere_pdf(incoming);
    Evaluation e = {share.base * matt, share.base_probability * matt};
    if (alpha < SMOOTH_ALPHA) return e;
    const GgxLobe lobe = ggx_evaluate(at.outgoing, incoming, alpha);
    return {e.value + share.reflected * lobe.value,
            e.pdf + share.reflected_probability * lobe.pdf};
  }

  DEVICE Scattering sample(const Incidence& at, Float2 u) const {
    const Shares share = shares(at);
    const float reflect = share.reflected_probability, scatter = share.base_probability;
    if (u.x < reflect) {
      if (alpha < SMOOTH_ALPHA)
        return specular(mirrored(at.outgoing), share.reflected * (1.0f / reflect));
      u.x /= reflect;
      return evaluated(*this, at, ggx_sample(at.outgoing, u, alpha));
    }
    if (u.x < reflect + scatter) {
      u.x = minimum((u.x - reflect) / scatter, BELOW_ONE);
      return evaluated(*this, at, cosine_hemisphere(u));
    }
    const float transmit = 1.0f - reflect - scatter;
    if (transmit <= 0.0f) return absorbed();
    return specular(passed_through(at), share.transmitted * (1.0f / transmit));
  }

 private:
  struct Shares {
    Float3 reflected, transmitted, base;  // they sum to at most one
    float reflected_probability, base_probability;
  };

  DEVICE Shares shares(const Incidence& at) const {
    const float falling = power(clamp(1.0f - at.outgoing.z, 0.0f, 1.0f), curve);
    const Float3 reflected = reflection * (r0 + (r90 - r0) * falling);
    const Float3 rest = splat(1.0f) - reflected;
    const Float3 transmitted = rest * transmission;
    const Float3 base = rest * diffuse * (1.0f - max_component(transmission));
    const float r = max_component(reflected), t = max_component(transmitted),
                b = max_component(base), all = r + t + b;
    if (all <= 0.0f) return {reflected, transmitted, base, 0.0f, 0.0f};
    return {reflected, transmitted, base, r / all, t > 0.0f ? b / all : 1.0f - r / all};
  }

  // Where refraction cannot be, the light stays inside.
  DEVICE Float3 passed_through(const Incidence& at) const {
    if (thin_walled) return -at.outgoing;
    const Interface face = interface_at(at.outgoing, at.front ? ior : 1.0f / ior);
    return face.reflectance < 1.0f ? face.refracted : mirrored(at.outgoing);
  }
};
