"""Surface shaders of a scene to the kernels' material kinds. One table names them all.

A base shader (mib_illum_*) returns ``L diffuse cos``, without 1/pi, for a light that returns L;
such a light delivers the irradiance pi L (lights.py), so that ``diffuse`` is the albedo.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from gpuqueue.scene.arguments import Arguments, find_shader
from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Material as MaterialEntity
from gpuqueue.scene.entities import NamedShader, ShaderCall, ShaderList, ShaderName
from gpuqueue.scene.model import BLACK, Color, Material, Parameter
from gpuqueue.scene.source import Place
from gpuqueue.scene.textures.value import (
    Texture,
    alpha_of,
    brightest,
    less_from_one,
    limited,
    mean_of,
    multiplied,
    product,
    squared,
)

GREY = Material("default", "lambert", {"reflectance": (0.5, 0.5, 0.5)}, note="grey")
MAX_CHAIN = 16
#: Of linear Rec. 709 colours.
LUMINANCE = (0.2126, 0.7152, 0.0722)

Build = Callable[[Arguments], Material]


def resolve_material(document: Document, name: str, at: Place) -> Material:
    """Return the material that a name stands for: a material or, as with MDL, a shader.

    Raises SceneError at `at` if there is none of this name.
    """
    entity = document.entities.get(name)
    if isinstance(entity, (MaterialEntity, NamedShader)):
        return replace(_surface(document, entity.shaders, entity.at, 0), name=name)
    document.find(MaterialEntity, name, at, "material")
    raise AssertionError("find raises: the entity is no material")


def _surface(document: Document, shaders: ShaderList, at: Place, depth: int) -> Material:
    call = _last_call(document, shaders)
    if call is None or depth > MAX_CHAIN:
        document.warnings("this material has no surface shader that is known; it is grey", at)
        return GREY
    arguments = Arguments(call, document)
    if parameter := PASS_THROUGH.get(call.type):
        inner = _connected(document, arguments.connected(parameter))
        return _surface(document, inner, call.at, depth + 1)
    if call.type in SCREENS:
        return _screen(document, arguments, depth)
    if call.type == "mip_card_opacity":
        return _card(document, arguments, depth)
    if (unlit := document.textures.texture_of(call)) is not None:
        return _emitting(Material("", "lambert", {"reflectance": BLACK}, shader=call.type), unlit)
    build = SURFACES.get(call.type)
    if build is None:
        document.warnings(
            f"unknown shader '{call.type}': grey is rendered instead",
            call.at,
            topic=f"shader {call.type}",
        )
        return replace(GREY, shader=call.type, note="unknown shader, grey")
    arguments.check_names()
    material = replace(build(arguments), shader=call.type)
    if call.type in ("mia_material", "mia_material_x"):
        material = cut_out(material, arguments.varying_fraction("cutout_opacity", 1.0))
    if material.note:
        document.warnings(f"'{call.type}': {material.note}", call.at)
    return material


def cut_out(material: Material, share: float | Texture) -> Material:
    """Return a material of which a share is left, 0 to 1."""
    left = product(material.opacity_texture or material.opacity, share)
    mean = min(max(mean_of(left)[0], 0.0), 1.0)
    return replace(
        material, opacity=mean, opacity_texture=left if isinstance(left, Texture) else None
    )


def _screen(document: Document, a: Arguments, depth: int) -> Material:
    """The surface of "input", of which a share is there: opacity, or 1 - transparency."""
    inner = _surface(document, _connected(document, a.connected("input")), a.call.at, depth + 1)
    name, is_transparency = SCREENS[a.call.type]
    color = a.varying(name, (0.0, 0.0, 0.0) if is_transparency else (1.0, 1.0, 1.0))
    if isinstance(color, Texture):
        share: float | Texture = a.varying_fraction(name)
    else:
        share = min(sum(color) / 3, 1.0)
        if max(color) != min(color):
            document.warnings(
                f"'{a.call.type}': the mean of the coloured '{name}' is used", a.call.at
            )
    return cut_out(inner, less_from_one(share) if is_transparency else share)


def _card(document: Document, a: Arguments, depth: int) -> Material:
    """``mip_card_opacity``: "input" cut out by its own alpha, or by "opacity"."""
    inner = _surface(document, _connected(document, a.connected("input")), a.call.at, depth + 1)
    seen = document.textures.connected(a, "input")
    if a.boolean("opacity_in_alpha"):
        return inner if seen is None else cut_out(inner, alpha_of(seen))
    return cut_out(inner, a.varying_fraction("opacity", 1.0))


def _last_call(document: Document, shaders: ShaderList) -> ShaderCall | None:
    """Shaders of a list run on one result: the last one has the final word."""
    if not shaders:
        return None
    last = shaders[-1]
    return find_shader(document, last.name) if isinstance(last, ShaderName) else last


def _connected(document: Document, name: str | None) -> ShaderList:
    """The shaders behind a connection, which may also name a material."""
    if name is None:
        return ()
    entity = document.entities.get(name)
    if isinstance(entity, MaterialEntity):
        return entity.shaders
    call = find_shader(document, name)
    return (call,) if call else ()


def _emitting(material: Material, emission: Color | Texture) -> Material:
    """Return a material that emits; the texture is times a grey emission as bright as its mean."""
    if not isinstance(emission, Texture):
        return replace(material, emission=emission)
    if emission.is_constant:
        return replace(material, emission=emission.mean[:3])
    brightness = sum(w * c for w, c in zip(LUMINANCE, emission.mean[:3], strict=True))
    if not brightness > 0:
        return material
    grey = (brightness, brightness, brightness)
    return replace(material, emission=grey, emission_texture=multiplied(emission, 1 / brightness))


def _lambert(a: Arguments) -> Material:
    return Material("", "lambert", {"reflectance": limited(a.varying("diffuse"))})


def _phong_of(
    diffuse: Color | Texture, specular: Color | Texture, exponent: float, note: str = ""
) -> Material:
    """The legacy term ``L specular cos^n`` as an energy-normalised lobe.

    A light of irradiance pi L meets ``albedo (n + 2) / (2 pi) cos^n``, which gives the legacy
    highlight for albedo = 2 specular / (n + 2). The kernel scales down what exceeds one.
    """
    exponent = min(max(exponent, 1.0), 1e5)
    parameters: dict[str, Parameter] = {
        "diffuse": limited(diffuse) if isinstance(diffuse, Texture) else diffuse,
        "specular": product(
            limited(specular) if isinstance(specular, Texture) else specular, 2.0 / (exponent + 2.0)
        ),
        "exponent": exponent,
    }
    return Material("", "phong", parameters, note=note)


def _phong(a: Arguments) -> Material:
    return _phong_of(a.varying("diffuse"), a.varying("specular"), a.scalar("exponent"))


def _blinn(a: Arguments) -> Material:
    """Micro-facets of slope m: a lobe about the half vector of exponent 2/m^2 - 2, which is
    about a quarter of that about the mirror direction."""
    slope = min(max(a.scalar("roughness"), 0.01), 1.0)
    exponent = max((2.0 / slope**2 - 2.0) / 4.0, 1.0)
    note = "approximated by a Phong lobe, without Fresnel"
    return _phong_of(a.varying("diffuse"), a.varying("specular"), exponent, note)


def _reflect(a: Arguments) -> Material:
    note = "only the reflection is rendered" if a.has("input") else ""
    return Material("", "mirror", {"reflectance": limited(a.varying("reflect"))}, note=note)


def _dielectric(a: Arguments) -> Material:
    """Smooth glass. `col` is the transmission over unit length: absorption = -ln(col)."""
    outside = max(a.scalar("ior_out"), 0.0) or 1.0
    ior = min(max((a.scalar("ior") or 1.5) / outside, 0.1), 10.0)
    return _glass(ior, a.color("col"))


def _glass(ior: float, color: Color) -> Material:
    absorption = tuple(math.log(1.0 / min(max(c, 1e-6), 1.0)) for c in color)
    white = (1.0, 1.0, 1.0)
    return Material(
        "",
        "glass",
        {
            "ior": ior,
            "reflection": white,
            "transmission": white,
            "absorption": (absorption[0], absorption[1], absorption[2]),
        },
    )


def _dgs(a: Arguments) -> Material:
    """Diffuse, glossy and specular; with `transp` a specular dielectric."""
    specular, transparency = a.color("specular"), a.fraction("transp")
    if transparency > 0.5 and max(specular) > 0:
        return _glass(min(max(a.scalar("ior") or 1.5, 0.1), 10.0), mean_of(limited(specular)))
    if max(specular) > max(*a.color("glossy"), *a.color("diffuse")):
        return Material("", "mirror", {"reflectance": limited(specular)})
    shiny = a.scalar("shiny") or max(a.scalar("shiny_u"), a.scalar("shiny_v")) or 30.0
    glossy = product(a.color("glossy"), (min(max(shiny, 1.0), 1e5) + 2.0) / 2.0)
    return _phong_of(a.varying("diffuse"), glossy, shiny)


def roughness_of_gloss(gloss: float | Texture) -> float | Texture:
    """Glossiness 1 (mirror) to 0 (diffuse) as a GGX roughness; square, so that steps look even."""
    return squared(less_from_one(gloss))


def _mia(a: Arguments) -> Material:
    """Reflectivity by Fresnel or r0 + (r90 - r0)(1 - cos)^curve; the rest is transmitted, and
    what is not transmitted is diffuse."""
    diffuse = limited(product(a.varying("diffuse"), a.varying_fraction("diffuse_weight")))
    reflection = limited(product(a.varying("refl_color"), a.varying_fraction("reflectivity")))
    is_metal = a.boolean("refl_is_metal")
    if is_metal:
        reflection = product(reflection, limited(a.varying("diffuse")))
    ior = min(max(a.scalar("refr_ior"), 1.0), 10.0)
    r0, r90, curve = a.fraction("brdf_0_degree_refl"), a.fraction("brdf_90_degree_refl"), 5.0
    if a.boolean("brdf_fresnel"):
        r0, r90 = ((ior - 1.0) / (ior + 1.0)) ** 2, 1.0
    else:
        curve = min(max(a.scalar("brdf_curve"), 0.0), 100.0)
    alpha = roughness_of_gloss(a.varying_fraction("refl_gloss"))
    emission = a.varying("additional_color")
    transparency = a.varying_fraction("transparency")
    if is_metal and transparency == 0.0 and curve == 5.0 and brightest(diffuse) == 0.0:
        metal: dict[str, Parameter] = {
            "f0": product(reflection, r0),
            "f90": product(reflection, r90),
            "alpha": alpha,
        }
        return _emitting(Material("", "conductor", metal, note=_left_out(a)), emission)
    parameters: dict[str, Parameter] = {
        "diffuse": diffuse,
        "reflection": reflection,
        "r0": r0,
        "r90": r90,
        "curve": curve,
        "alpha": alpha,
        "transmission": limited(product(a.varying("refr_color"), transparency)),
        "ior": ior,
        "thin_walled": float(a.boolean("thin_walled")),
    }
    return _emitting(Material("", "architectural", parameters, note=_left_out(a)), emission)


def _left_out(a: Arguments) -> str:
    features = {
        "rough refraction": brightest(a.varying_fraction("transparency")) > 0
        and a.fraction("refr_gloss") < 1,
        "translucency": a.boolean("refr_translucency"),
        "anisotropy": a.scalar("anisotropy") != 1,
        "bump": a.has("bump") and a.connected("bump") is not None,
    }
    missing = [name for name, used in features.items() if used]
    return f"{', '.join(missing)} not rendered" if missing else ""


def _maya_lambert(a: Arguments) -> Material:
    reflectance = limited(product(a.varying("color"), a.varying_fraction("diffuse")))
    material = Material("", "lambert", {"reflectance": reflectance})
    return _emitting(material, a.varying("incandescence"))


def _maya_phong(a: Arguments) -> Material:
    diffuse = product(a.varying("color"), a.varying_fraction("diffuse"))
    material = _phong_of(diffuse, a.varying("specularColor"), a.scalar("cosinePower"))
    return _emitting(material, a.varying("incandescence"))


SURFACES: dict[str, Build] = {
    "mib_illum_lambert": _lambert,
    "mib_illum_phong": _phong,
    "mib_illum_blinn": _blinn,
    "mib_illum_cooktorr": _blinn,
    "mib_reflect": _reflect,
    "dielectric_material": _dielectric,
    "dgs_material": _dgs,
    "mia_material": _mia,
    "mia_material_x": _mia,
    "adskMayaLambert": _maya_lambert,
    "adskMayaPhong": _maya_phong,
}

#: Shaders that let some rays pass: the parameter, and whether it says how many do.
SCREENS = {"mib_opacity": ("opac", False), "mib_transparency": ("transp", True)}

#: Shaders that hand on the surface of another, and the parameter that names it.
PASS_THROUGH = {
    "mib_twosided": "front",
    "adskMayaShadingEngine": "surfaceShader",
    "max_mia_material_renderelements": "mia_material",
    "max_NodeVisibility": "input",
    "max_MaterialToShader": "material",
}
