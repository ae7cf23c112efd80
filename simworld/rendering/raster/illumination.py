"""What light does to surfaces: ambient light, and Lambert and GGX reflection of lamps, a block of lanes at a time."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.openness import ARM_SHARE, BESIDE, DEPTHS, THROWN, WITHIN, openness_rows
from simworld.rendering.raster.surroundings import ARM, HEIGHT, LIGHT, LOWER, OPEN, UP, UPPER
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
def add_ambient(count: int, around: Any, w: Any) -> None:
    """Begin OUT with light from all around, as `surroundings` in the camera's frame say it comes.

    What is mirrored of it, of all directions together, is a fit to GGX (in the way of Karis 2013), what is not is one
    to Burley's (2012) diffuse reflection.
    """
    openness_rows(count, around, w)
    ux, uy, uz, up = around[UP], around[UP + 1], around[UP + 2], around[HEIGHT]
    leaking = around[OPEN]
    # Read before the loop: what it writes might otherwise be what it reads, and it would not use vector units.
    red, green, blue = around[LIGHT], around[LIGHT + 1], around[LIGHT + 2]
    upper_red, upper_green, upper_blue = around[UPPER], around[UPPER + 1], around[UPPER + 2]
    lower_red, lower_green, lower_blue = around[LOWER], around[LOWER + 1], around[LOWER + 2]
    arm_red, arm_green, arm_blue = around[ARM], around[ARM + 1], around[ARM + 2]
    for j in range(count):
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        vx, vy, vz = w[_VX + j], w[_VY + j], w[_VZ + j]
        facing = min(max(vx * nx + vy * ny + vz * nz, _ZERO), _ONE)
        alpha, metallic, base = w[ALPHA + j], w[METALLIC + j], w[BASE + j]
        rough = np.sqrt(alpha)
        grazing, smooth = (_ONE - facing) * (_ONE - facing), _ONE - rough
        grazing *= grazing
        edge = smooth * smooth * grazing * (_F(0.371) + _F(0.843) * smooth)
        mirrored = _F(0.973) + rough * (_F(0.534) * facing - _F(0.056))
        mirrored += alpha * (_F(0.193) * rough - _F(0.517) - _F(0.864) * facing) - edge
        coated = min(_ONE, _F(25.0) * base + metallic)
        edge *= coated
        diffuse = (_ONE - metallic) * (_ONE + coated * grazing * (_F(1.07) * rough - _F(0.51)))
        # Of the half space in front of it, how much is above the horizon; of where it mirrors, too.
        level = ux * nx + uy * ny + uz * nz
        seen = ux * vx + uy * vy + uz * vz
        turn = _ONE - _F(0.7) * alpha
        turned = level * (_ONE - turn) + (_F(2.0) * facing * level - seen) * turn
        size = (_ONE - turn) * (_ONE - turn) + turn * turn + _F(2.0) * turn * (_ONE - turn) * facing
        upper, mirrors = _HALF + _HALF * level, _HALF + _HALF * turned / np.sqrt(max(size, _F(1e-6)))
        below = ux * w[_X + j] + uy * w[_Y + j] + uz * w[_Z + j] + up < -_F(0.004)
        arm, depths, inside, beside = w[ARM_SHARE + j], w[DEPTHS + j], w[WITHIN + j], w[BESIDE + j]
        free, outside = (_ONE - arm) * beside, _ONE - inside
        hidden, thrown = arm * beside * outside, inside * depths
        shares = free, depths, outside, thrown, hidden
        views = upper, mirrors, leaking
        surface = diffuse, mirrored, edge, base, metallic
        ground = lower_red if below else upper_red
        w[OUT + j] = _returned(red, ground, arm_red, w[_RED + j], w[THROWN + j], shares, views, surface)
        ground = lower_green if below else upper_green
        color, added = w[_GREEN + j], w[THROWN + LANES + j]
        w[OUT + LANES + j] = _returned(green, ground, arm_green, color, added, shares, views, surface)
        ground = lower_blue if below else upper_blue
        color, added = w[_BLUE + j], w[THROWN + 2 * LANES + j]
        w[OUT + 2 * LANES + j] = _returned(blue, ground, arm_blue, color, added, shares, views, surface)


@inlined
def _returned(
    light: Any, ground: Any, of_arm: Any, color: Any, added: Any, shares: Any, views: Any, surface: Any
) -> Any:
    """What a surface returns, in one channel, of the sky, the ground, the arm and what boxes add."""
    free, depths, outside, thrown, hidden = shares
    upper, mirrors, leaking = views
    diffuse, mirrored, edge, base, metallic = surface
    ground = (ground + leaking * (light - ground)) * outside * free
    rest = hidden * of_arm + added
    sky = free * depths * light - thrown * added
    from_all = upper * sky + (_ONE - upper) * ground + rest
    from_there = mirrors * sky + (_ONE - mirrors) * ground + rest
    f0 = base + metallic * (color - base)
    return color * diffuse * from_all + (f0 * mirrored + edge) * from_there


@kernel
def light_rows(count: int, red: Any, green: Any, blue: Any, w: Any) -> None:
    """Fill DIRECT with what a light of a linear colour adds, from where LIT says it comes, and with all its strength.

    Burley's (2012) diffuse reflection, and GGX with Smith's shadowing (Walter et al. 2007) and Schlick's (1994) Fresnel
    term.
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
        square = alpha * alpha
        spread = half * half * (square - _ONE) + _ONE
        across = facing + np.sqrt(square + (_ONE - square) * facing * facing)
        along = towards + np.sqrt(square + (_ONE - square) * towards * towards)
        peak = square / (spread * spread * across * along)
        retro = _F(2.0) * np.sqrt(alpha) * cosine * cosine
        out, into = _fifth(_ONE - facing), _fifth(_ONE - towards)
        diffuse = (_ONE - _HALF * out) * (_ONE - _HALF * into) + retro * (out + into + out * into * (retro - _ONE))
        # What mirrors nothing at all is Lambert's.
        coated = min(_ONE, _F(25.0) * base + metallic)
        diffuse = (_ONE + coated * (diffuse - _ONE)) * (_ONE - metallic) * strength
        edge = _fifth(_ONE - cosine)
        mirrored = peak * strength * (_ONE - edge)
        edge *= peak * strength * coated
        r, g, b = w[_RED + j], w[_GREEN + j], w[_BLUE + j]
        w[DIRECT + j] = red * (r * diffuse + (base + metallic * (r - base)) * mirrored + edge)
        w[DIRECT + LANES + j] = green * (g * diffuse + (base + metallic * (g - base)) * mirrored + edge)
        w[DIRECT + 2 * LANES + j] = blue * (b * diffuse + (base + metallic * (b - base)) * mirrored + edge)


@inlined
def _fifth(x: Any) -> Any:
    """The fifth power of a number that is 0..1, and 0 below."""
    x = max(x, _ZERO)
    square = x * x
    return square * square * x
