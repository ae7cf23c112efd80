"""`simworld objects`: the catalogue, and what a user adds to it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import complain, note, print_json, say, table

commands = typer.Typer()
objects = typer.Typer()
commands.add_typer(objects, name="objects")


@objects.callback(invoke_without_command=True)
def catalogue(
    context: typer.Context,
    sheet: Annotated[
        Path | None, typer.Option(show_default="none", help="Draw a contact sheet of the families into this PNG file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the families of things and the objects of the catalogue; `add` adds meshes to it."""
    if context.invoked_subcommand:
        return
    from simworld.assets.catalogue import meshes
    from simworld.assets.families import FAMILIES

    assets = list(meshes().values())
    families = [
        {"family": name, "category": made.category or name, "tags": made.tags} for name, made in FAMILIES.items()
    ]
    if sheet:
        _draw_sheet(sheet)
    if as_json:
        made_of_seeds = [{"id": name, "category": what, "tags": own} for name, what, own in families]
        print_json([*made_of_seeds, *(asset.model_dump(mode="json") for asset in assets)])
        return
    table(
        "Families",
        ["family", "category", "tags"],
        [[f["family"], f["category"], " ".join(f["tags"])] for f in families],
    )
    rows = [
        [a.id, a.category, " ".join(a.tags), a.split, _millimetres(a.half_extents), _kilograms(a.mass), a.licence]
        for a in assets
    ]
    table("Objects", ["id", "category", "tags", "split", "size (mm)", "mass (kg)", "licence"], rows)


@objects.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Mesh files, and folders of them.")],
    tag: Annotated[
        list[str],
        typer.Option(default_factory=list, show_default="own", help="A tag to draw them by; may be repeated."),
    ],
    unit: Annotated[
        str,
        typer.Option(help="The files' unit: m, cm, mm, in, or auto: metres, unless only mm can be meant."),
    ] = "auto",
    scale: Annotated[float, typer.Option(help="Times the size.")] = 1.0,
    category: Annotated[str | None, typer.Option(show_default="the id", help="What detectors name them.")] = None,
    split: Annotated[str, typer.Option(help="train or test: the part of a data set that may show them.")] = "train",
    mass: Annotated[float | None, typer.Option(show_default="by --density", help="Of each, in kg.")] = None,
    density: Annotated[float, typer.Option(help="In kg/m3, where there is no --mass.")] = 500.0,
    friction: Annotated[float | None, typer.Option(show_default="the world's", help="Coulomb coefficient.")] = None,
    licence: Annotated[str, typer.Option(help="Under which they may be used.")] = "not said",
    name: Annotated[str, typer.Option("--id", show_default="the file's name", help="Of a single file.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace other objects of the same ids.")] = False,
    as_json: Json = False,
) -> None:
    """Import meshes (obj, stl, ply, glb, gltf, off, dae) into the catalogue; those that cannot be used are named."""
    from pydantic import ValidationError

    from simworld.assets.importing.adding import add_objects
    from simworld.assets.importing.mesh_import import ImportOptions
    from simworld.plain import describe

    given: dict[str, Any] = {"unit": unit, "scale": scale, "category": category, "split": split, "mass": mass}
    given |= {"density": density, "friction": friction, "licence": licence}
    try:
        options = ImportOptions.model_validate(given | ({"tags": tag} if tag else {}))
    except ValidationError as error:
        raise ConfigurationError(f"--{describe(error)}") from None
    reports = add_objects(paths, options, name, overwrite, (lambda report: None) if as_json else _say, _begin)
    if as_json:
        print_json([report.model_dump(mode="json") for report in reports])
    if any(report.status == "refused" for report in reports):
        raise typer.Exit(2)


def _draw_sheet(path: Path) -> None:
    """Draw the contact sheet of all families into a file."""
    import numpy as np

    from simworld.assets.families import FAMILIES
    from simworld.datasets.store.pictures import encode_png
    from simworld.experiments.recipes.contact_sheet import contact_sheet
    from simworld.writing import reporting, write_bytes

    if path.suffix.lower() != ".png":
        raise ConfigurationError(f"--sheet: must be a file *.png, got {path}")
    drawn = contact_sheet(list(FAMILIES), count=8)
    with reporting(path):
        write_bytes(path, encode_png(np.asarray(drawn)))
    note(f"{path}: {len(FAMILIES)} families")


def _begin(path: Path) -> None:
    """Say which file is being read, as one may take minutes."""
    note(f"{path} ...")


def _say(report: Any) -> None:
    """Say what became of a file."""
    if report.status == "refused":
        complain(f"{report.file}: {report.notes[0]}")
        return
    say(f"{report.id}: {report.status}, from {report.file}")
    if report.status != "unchanged":
        size = _millimetres(tuple(side / 2 for side in report.size))
        say(f"  {size} mm, {_kilograms(report.mass)} kg, {report.triangles:,} triangles, {report.pieces} convex pieces")
        for note in report.notes:
            say(f"  {note}")


def _millimetres(half: tuple[float, ...]) -> str:
    return " x ".join(f"{2000 * side:.0f}" for side in half)


def _kilograms(mass: float | None) -> str:
    return "" if mass is None else f"{mass:.3g}"
