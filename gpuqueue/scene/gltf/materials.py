"""Metallic-roughness materials as ``mia_material_x`` (glTF 2.0, section 3.9 and appendix B).

A dielectric is diffuse below a Fresnel coat; a metal reflects its colour. What is between both is
taken for the nearer one. Radiance of emission is as it stands, without a unit.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Material, ShaderCall, Value
from gpuqueue.scene.gltf.item import Item
from gpuqueue.scene.gltf.textures import Textures

_IOR = 1.5


def define_material(document: Document, textures: Textures, item: Item, name: str) -> None:
    """Keep a material; warn of what it has that is not rendered."""
    call = ShaderCall("mia_material_x", _arguments(document, textures, item), item.at)
    document.define(Material(name, item.at, (call,)))


def _arguments(document: Document, textures: Textures, item: Item) -> Mapping[str, Value]:
    pbr, extensions = item.child("pbrMetallicRoughness"), item.child("extensions")
    r, g, b, alpha = pbr.numbers("baseColorFactor", (1.0, 1.0, 1.0, 1.0))
    base = textures.color(pbr, "baseColorTexture", (r, g, b)) or (r, g, b)
    roughness, metallic = _roughness_and_metallic(document, textures, pbr)
    transmission = extensions.child("KHR_materials_transmission").number(
        "transmissionFactor", 0.0, 0, 1
    )
    if 0.1 < metallic < 0.9:
        document.warnings(f"metallic {metallic:.3g} is taken for {round(metallic)}", item.at)
    _warn_of_textures(document, item, pbr)
    surface = _metal(base) if metallic > 0.5 else _dielectric(base, extensions, transmission)
    return {
        **surface,
        "refl_gloss": (1.0 - roughness,),
        "additional_color": _emission(textures, item, extensions),
        "cutout_opacity": _opacity(document, textures, item, pbr, alpha),
    }


def _roughness_and_metallic(
    document: Document, textures: Textures, pbr: Item
) -> tuple[float, float]:
    """The factors times the means of an image's green and blue."""
    roughness = pbr.number("roughnessFactor", 1.0, 0, 1)
    metallic = pbr.number("metallicFactor", 1.0, 0, 1)
    mean = textures.mean(pbr, "metallicRoughnessTexture")
    if mean is None:
        return roughness, metallic
    document.warnings("of metallicRoughnessTexture the mean is used", pbr.at)
    return roughness * min(mean[1], 1.0), metallic * min(mean[2], 1.0)


def _metal(color: Value) -> Mapping[str, Value]:
    return {
        "diffuse": color,
        "diffuse_weight": (0.0,),
        "reflectivity": (1.0,),
        "refl_is_metal": (True,),
        "brdf_0_degree_refl": (1.0,),
    }


def _dielectric(color: Value, extensions: Item, transmission: float) -> Mapping[str, Value]:
    """A surface without a volume is a thin sheet."""
    ior = extensions.child("KHR_materials_ior").number("ior", _IOR, 0, 10)
    return {
        "diffuse": color,
        "diffuse_weight": (1.0,),
        "reflectivity": (1.0,),
        "brdf_fresnel": (True,),
        "refr_ior": (max(ior, 1.0),),
        "transparency": (transmission,),
        "refr_color": color,
        "thin_walled": (not extensions.has("KHR_materials_volume"),),
    }


def _emission(textures: Textures, item: Item, extensions: Item) -> Value:
    strength = extensions.child("KHR_materials_emissive_strength").number(
        "emissiveStrength", 1.0, 0
    )
    r, g, b = (v * strength for v in item.numbers("emissiveFactor", (0.0, 0.0, 0.0)))
    if max(r, g, b) == 0:
        return (0.0, 0.0, 0.0)
    return textures.color(item, "emissiveTexture", (r, g, b)) or (r, g, b)


def _opacity(document: Document, textures: Textures, item: Item, pbr: Item, alpha: float) -> Value:
    """A mask is the alpha itself, whose filter makes its edges smooth; without an image it is
    there or not."""
    mode = item.text("alphaMode", "OPAQUE")
    if mode not in ("OPAQUE", "MASK", "BLEND"):
        raise item.error("alphaMode", "OPAQUE, MASK or BLEND")
    if mode == "OPAQUE":
        return (1.0,)
    image = textures.alpha(pbr, "baseColorTexture", alpha)
    if image is not None:
        if mode == "MASK":
            document.warnings("alphaCutoff is not applied; alpha is", item.at, "alphaCutoff")
        return image
    if mode == "BLEND":
        return (min(max(alpha, 0.0), 1.0),)
    return (float(alpha >= item.number("alphaCutoff", 0.5)),)


_RENDERED = ("baseColorTexture", "emissiveTexture", "metallicRoughnessTexture")


def _warn_of_textures(document: Document, item: Item, pbr: Item) -> None:
    for name in (*pbr.values, *item.values):
        if name.endswith("Texture") and name not in _RENDERED:
            document.warnings(f"{name} is not rendered; the factor alone is", item.at, name)
