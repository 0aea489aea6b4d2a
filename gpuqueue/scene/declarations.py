"""Parameter types and defaults of the shaders that we render, in place of vendor include files.

A scene's own ``declare`` takes precedence. A parameter without a default is zero, as in the
format itself.
"""

from __future__ import annotations

from gpuqueue.scene.entities import Atom, Declaration

_ILLUM = "color ambience, color ambient, color diffuse"
_LIGHTS = "integer mode, array light lights"
_LIGHT = "color color, boolean shadow, scalar factor, boolean atten, scalar start, scalar stop"

_TABLE = {
    "mib_illum_lambert": f"{_ILLUM}, {_LIGHTS}",
    "mib_illum_phong": f"{_ILLUM}, color specular, scalar exponent, {_LIGHTS}",
    "mib_illum_blinn": f"{_ILLUM}, color specular, scalar roughness, scalar ior, {_LIGHTS}",
    "mib_illum_cooktorr": f"{_ILLUM}, color specular, scalar roughness, color ior, {_LIGHTS}",
    "mib_light_infinite": "color color, boolean shadow, scalar factor",
    "mib_light_point": _LIGHT,
    "mib_light_spot": f"{_LIGHT}, scalar cone",
    "physical_light": "color color, scalar cone, scalar threshold, scalar cos_exp",
    "mib_reflect": "color input, color reflect, boolean notrace",
    "mib_opacity": "color input, color opac",
    "mib_transparency": "color input, color transp",
    "mib_twosided": "color front, color back",
    "mip_card_opacity": "color input, boolean opacity_in_alpha, scalar opacity 1,"
    " scalar opacity_threshold",
    "mib_texture_vector": "integer select, integer selspace, integer vertex, integer project",
    "mib_texture_remap": "vector input, transform transform, vector repeat, boolean alt_x,"
    " boolean alt_y, boolean alt_z, boolean torus_x, boolean torus_y, boolean torus_z, vector min,"
    " vector max, vector offset",
    "mib_texture_lookup": "color texture tex, vector coord",
    "mib_texture_lookup2": "color texture tex, scalar factor",
    "mib_texture_filter_lookup": "color texture tex, vector coord, scalar eccmax, scalar maxminor,"
    " scalar disc_r, boolean bilinear, integer space, shader remap",
    "mib_texture_checkerboard": "vector coord, scalar xsize .5, scalar ysize .5, scalar zsize .5,"
    " color color000, color color001, color color010, color color011, color color100,"
    " color color101, color color110, color color111",
    "mib_color_alpha": "color input, scalar factor 1",
    "mib_color_intensity": "color input, scalar factor 1",
    "mib_color_mix": "integer num, color color_base, "
    + ", ".join(f"integer mode_{i}, scalar weight_{i}, color color_{i}" for i in range(8)),
    "one_color": "color color",
    "dielectric_material": "color col, scalar ior, color col_out, scalar ior_out,"
    f" boolean ignore_normals, scalar phong_coef, {_LIGHTS}",
    "dgs_material": "color diffuse, color glossy, color specular, scalar shiny, scalar shiny_u,"
    f" scalar shiny_v, scalar transp, scalar ior, {_LIGHTS}",
    "mia_material": "scalar diffuse_weight 1, color diffuse .5, scalar diffuse_roughness,"
    " scalar reflectivity .6, color refl_color 1, scalar refl_gloss 1, boolean refl_is_metal,"
    " scalar transparency, color refr_color 1, scalar refr_gloss 1, scalar refr_ior 1.4,"
    " boolean refr_translucency, boolean brdf_fresnel, scalar brdf_0_degree_refl .2,"
    " scalar brdf_90_degree_refl 1, scalar brdf_curve 5, boolean thin_walled,"
    " scalar cutout_opacity 1, color additional_color, scalar anisotropy 1",
    "mia_physicalsun": "boolean on 1, scalar multiplier 1, color rgb_unit_conversion .0001,"
    " scalar haze, scalar redblueshift",
    "mia_physicalsky": "boolean on 1, scalar multiplier 1, color rgb_unit_conversion .0001,"
    " scalar haze, scalar redblueshift, color ground_color .2",
    "mia_exposure_simple": "scalar pedestal, scalar gain 1, scalar knee .75, scalar compression 3,"
    " scalar gamma 2.2, boolean use_preview",
    "adskMayaLambert": "color color .5, scalar diffuse .8, color transparency, color incandescence",
    "adskMayaPhong": "color color .5, scalar diffuse .8, color specularColor .5,"
    " scalar cosinePower 20, color incandescence",
    "adskMayaShadingEngine": "shader surfaceShader, scalar cutAwayOpacity",
    "adskMayaDirectionalLight": "color color 1, scalar intensity 1",
    "max_DefaultLight": "color color 1, scalar multiplier 1",
    "max_mia_material_renderelements": "shader mia_material, integer GBufferID",
    "max_NodeVisibility": "color input, integer mode",
    "max_MaterialToShader": "material material",
    "max_Environment": "boolean UseAlpha, color Color, shader Map",
}


def _declaration(name: str, text: str) -> Declaration:
    types: dict[str, str] = {}
    defaults: dict[str, tuple[Atom, ...]] = {}
    for parameter in text.split(","):
        *kind, last = parameter.split()
        default = last if last.lstrip("-").replace(".", "").isdigit() else None
        parameter_name = kind.pop() if default else last
        types[parameter_name] = " ".join(kind)
        if default:
            defaults[parameter_name] = (float(default),)
    return Declaration(name, types, defaults)


BUILT_IN = {name: _declaration(name, text) for name, text in _TABLE.items()}
BUILT_IN["mia_material_x"] = Declaration(
    "mia_material_x", *((BUILT_IN["mia_material"].types, BUILT_IN["mia_material"].defaults))
)
