"""What light does to surfaces: ambient light, and Lambert and GGX reflection of lamps, a block of lanes at a time."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.work import (
    ALBEDO,
    ALPHA,
    BASE,
    DIRECT,
    LANES,
    LIT,
    METALLIC,
    NORMAL,
    OUT,
    POSITION,
    VIEW,
)

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_VX, _VY, _VZ = VIEW, VIEW + LANES, VIEW + 2 * LANES
_RED, _GREEN, _BLUE = ALBEDO, ALBEDO + LANES, ALBEDO + 2 * LANES
_OUT_RED, _OUT_GREEN, _OUT_BLUE = OUT, OUT + LANES, OUT + 2 * LANES


@kernel
def orient_normals(count: int, w: Any) -> None:
    """Make normals unit and face the camera, as both sides of a surface are lit; and find the way to the camera."""
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        scale = _ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, _F(1e-30)))
        scale = -scale if nx * x + ny * y + nz * z > _ZERO else scale
        w[_NX + j], w[_NY + j], w[_NZ + j] = nx * scale, ny * scale, nz * scale
        eye = -_ONE / np.sqrt(x * x + y * y + z * z)
        w[_VX + j], w[_VY + j], w[_VZ + j] = x * eye, y * eye, z * eye


@kernel
def add_ambient(count: int, ambient: Any, w: Any) -> None:
    """Begin OUT with light that comes evenly from everywhere; rough surfaces mirror less of it (Lagarde 2011)."""
    red, green, blue = ambient[0], ambient[1], ambient[2]
    for j in range(count):
        facing = w[_VX + j] * w[_NX + j] + w[_VY + j] * w[_NY + j] + w[_VZ + j] * w[_NZ + j]
        grazing = _ONE - min(max(facing, _ZERO), _ONE)
        square = grazing * grazing
        fresnel = square * square * grazing
        metallic, base = w[METALLIC + j], w[BASE + j]
        smooth, diffuse = _ONE - np.sqrt(w[ALPHA + j]), _ONE - metallic
        r, g, b = w[_RED + j], w[_GREEN + j], w[_BLUE + j]
        fr, fg, fb = base + metallic * (r - base), base + metallic * (g - base), base + metallic * (b - base)
        gr, gg, gb = _most(smooth, fr), _most(smooth, fg), _most(smooth, fb)
        fr, fg, fb = fr + (gr - fr) * fresnel, fg + (gg - fg) * fresnel, fb + (gb - fb) * fresnel
        w[_OUT_RED + j] = red * (r * diffuse * (_ONE - fr) + fr)
        w[_OUT_GREEN + j] = green * (g * diffuse * (_ONE - fg) + fg)
        w[_OUT_BLUE + j] = blue * (b * diffuse * (_ONE - fb) + fb)


@inlined
def _most(smooth: Any, f0: Any) -> Any:
    """Reflectance at grazing angles: 1 for smooth surfaces, except those that hardly reflect at all."""
    return max(smooth * min(_ONE, _F(25.0) * f0), f0)


@kernel
def light_rows(count: int, red: Any, green: Any, blue: Any, w: Any) -> None:
    """Fill DIRECT with what a light of a linear colour adds, from where LIT says it comes, and with all its strength.

    Lambert, and GGX (Walter et al. 2007) with Hammon's (2017) visibility term and Schlick's (1994) Fresnel term.
    """
    for j in range(count):
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        vx, vy, vz = w[_VX + j], w[_VY + j], w[_VZ + j]
        lx, ly, lz = w[LIT + LANES + j], w[LIT + 2 * LANES + j], w[LIT + 3 * LANES + j]
        towards = nx * lx + ny * ly + nz * lz
        strength = max(towards, _ZERO)
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        size = _ONE / np.sqrt(max(hx * hx + hy * hy + hz * hz, _F(1e-12)))
        half = (nx * hx + ny * hy + nz * hz) * size
        cosine = (vx * hx + vy * hy + vz * hz) * size
        facing = max(nx * vx + ny * vy + nz * vz, _F(1e-3))
        towards = max(towards, _F(1e-3))
        alpha, metallic, base = w[ALPHA + j], w[METALLIC + j], w[BASE + j]
        spread = half * half * (alpha * alpha - _ONE) + _ONE
        shape = towards * (facing * (_ONE - alpha) + alpha) + facing * (towards * (_ONE - alpha) + alpha)
        peak = alpha * alpha * _HALF / (spread * spread * shape)
        grazing = _ONE - min(max(cosine, _ZERO), _ONE)
        square = grazing * grazing
        fresnel = square * square * grazing
        diffuse = _ONE - metallic
        r, g, b = w[_RED + j], w[_GREEN + j], w[_BLUE + j]
        fr, fg, fb = base + metallic * (r - base), base + metallic * (g - base), base + metallic * (b - base)
        gr, gg, gb = min(_ONE, _F(25.0) * fr), min(_ONE, _F(25.0) * fg), min(_ONE, _F(25.0) * fb)
        fr, fg, fb = fr + (gr - fr) * fresnel, fg + (gg - fg) * fresnel, fb + (gb - fb) * fresnel
        w[DIRECT + j] = red * strength * (r * diffuse * (_ONE - fr) + peak * fr)
        w[DIRECT + LANES + j] = green * strength * (g * diffuse * (_ONE - fg) + peak * fg)
        w[DIRECT + 2 * LANES + j] = blue * strength * (b * diffuse * (_ONE - fb) + peak * fb)
