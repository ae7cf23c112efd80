"""The catalogue: what ships, what a user adds, and scenes that say which mesh they mean."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium as gym
import pytest
from typer.testing import CliRunner

from simworld.assets import catalogue
from simworld.assets.catalogue import kinds, mesh, shipped, tags
from simworld.assets.families import FAMILIES
from simworld.assets.index import INDEX, Row, digest_of, to_json
from simworld.assets.roots import SHIPPED, VARIABLE, data_path
from simworld.building.entities import Prop
from simworld.distributions.choices import Tagged
from simworld.errors import ConfigurationError
from simworld.experiments.cli.app import app
from simworld.rendering.meshes.obj import open_source
from simworld.scene.model import Mesh


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the user's own assets, in which is a beaker: the catalogue's mug under another name."""
    (tmp_path / "objects").mkdir()
    mug = mesh("mug")
    for name in (mug.visual, mug.collision):
        shutil.copy(data_path() / name, tmp_path / "objects" / Path(name).name)
    write(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    catalogue.forget()
    yield tmp_path
    catalogue.forget()


def reader(folder: Path) -> Callable[[str], bytes]:
    return lambda name: (folder / name).read_bytes()


def write(root: Path, **changes: object) -> None:
    mug = mesh("mug").model_dump(exclude={"folder", "package"})
    files = {"visual": "mug.obj", "collision": "mug_col.obj"}
    row = Row.model_validate(mug | files | {"id": "beaker", "tags": ("kitchen",), "scale": 0.5} | changes)
    if "digest" not in changes:
        row = row.model_copy(update={"digest": digest_of(row, reader(root / "objects"))})
    (root / INDEX).write_bytes(to_json([row]))
    catalogue.forget()


def test_objects_of_the_user_are_kinds_with_tags_beside_those_that_ship(root: Path) -> None:
    assert kinds() == ("compound", "cuboid", "cylinder", "sphere", *shipped(), *FAMILIES, "beaker")
    assert tags()["kitchen"] == ("beaker",) and tags()["mesh"] == shipped()
    assert Path(mesh("beaker").visual_path) == root / "objects" / "mug.obj"


def test_the_index_that_ships_is_written_as_it_is_read_and_names_every_file() -> None:
    rows = [mesh(name) for name in shipped()]
    assert to_json(rows) == (SHIPPED / INDEX).read_bytes()
    for row in rows:
        assert digest_of(row, reader(row.folder)) == row.digest
        assert len(open_source(row.visual_path).materials) == len(row.others)


def test_a_mesh_says_which_it_is_by_its_digest(root: Path) -> None:
    cup = Mesh(name="beaker")
    assert cup.digest == mesh("beaker").digest and Mesh.model_validate_json(cup.model_dump_json()) == cup
    write(root, id="beaker")
    assert Mesh.model_validate_json(cup.model_dump_json()).asset.id == "beaker"


def test_a_mesh_that_is_not_here_is_named(root: Path) -> None:
    cup = Mesh(name="beaker")
    write(root, scale=0.6)
    with pytest.raises(ConfigurationError, match=f"no mesh 'beaker' with the digest {cup.digest}.*the one here is"):
        mesh(cup.name, cup.digest)
    with pytest.raises(ValueError, match=f"no mesh 'beaker' with the digest {cup.digest}"):
        Mesh.model_validate_json(cup.model_dump_json())
    with pytest.raises(ValueError, match="no mesh 'beakerr' in the catalogue; did you mean 'beaker'"):
        Mesh(name="beakerr")


def test_files_that_have_changed_are_not_used(root: Path) -> None:
    write(root, scale=0.7)
    (root / "objects" / "mug.obj").write_bytes(b"v 0 0 0\n")
    with pytest.raises(ConfigurationError, match="object 'beaker': its files in .* are not those of its digest"):
        _ = mesh("beaker").visual_path
    (root / "objects" / "mug_col.obj").unlink()
    with pytest.raises(ConfigurationError, match="object 'beaker': cannot read .*mug_col.obj: No such file"):
        _ = mesh("beaker").collision_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "duck"}, "there is another 'duck' in the catalogue"),
        ({"id": "cuboid"}, "there is another 'cuboid' in the catalogue"),
        ({"tags": ["mesh"]}, "'beaker' has the tag 'mesh' of what ships"),
        ({"id": "A b"}, r"0\.id: .*must begin with a letter.*got 'A b'"),
        ({"visual": "../../etc/passwd"}, r"0\.visual: .*a path within the folder"),
        ({"collision": "/etc/passwd"}, r"0\.collision: .*a path within the folder"),
        ({"digest": "abc"}, r"0\.digest: .*got 'abc'"),
        ({"orientation": [0, 0, 0, 2]}, r"0\.orientation: .*length 1"),
        ({"scales": 2}, r"0\.scales: "),
        ({"scale": float("nan")}, r"0\.scale: .*finite"),
        ({"package": "os"}, r"0\.package: .*pybullet_data"),
    ],
)
def test_an_index_that_cannot_be_used_is_left_out_by_one_line_that_names_it(
    root: Path, changes: dict[str, object], message: str
) -> None:
    rows = json.loads((root / INDEX).read_bytes())
    (root / INDEX).write_text(json.dumps([rows[0] | changes]))
    catalogue.forget()
    with pytest.warns(UserWarning, match=f"left out: {root / INDEX}: {message}") as caught:
        assert kinds() == ("compound", "cuboid", "cylinder", "sphere", *shipped(), *FAMILIES)
    assert len(caught) == 1 and "\n" not in str(caught[0].message)
    catalogue.forget()
    assert "kitchen" not in tags()  # and without another warning


def test_what_ships_works_beside_a_broken_index_and_what_is_asked_of_it_is_refused(root: Path) -> None:
    cup = Mesh(name="beaker")
    (root / INDEX).write_text('{"objects": [')
    catalogue.forget()
    with pytest.warns(UserWarning, match=f"left out: {root / INDEX}: "):
        catalogue.meshes()
    env = gym.make("simworld/PlaceInBox-v0", randomization="default")
    env.reset(seed=0)
    env.close()
    for asked in (
        lambda: mesh("beaker"),
        lambda: mesh(cup.name, cup.digest),
        lambda: Prop("beaker", kinds=("beaker",)),
        lambda: Tagged(("kitchen",)),
        lambda: gym.make("simworld/PlaceInBox-v0", randomization={"objects.0.kind": "beaker"}),
    ):
        with pytest.raises(ConfigurationError, match=f"left out: {root / INDEX}: .*JSON"):
            asked()
    listed = CliRunner().invoke(app, ["objects"])
    assert listed.exit_code == 0 and "duck" in listed.stdout


def test_a_generator_of_the_name_of_a_mesh_that_ships_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "GENERATORS", {"duck": catalogue.GENERATORS["sphere"]})
    catalogue.forget()
    with pytest.raises(ConfigurationError, match=r"generators/duck\.py: there is another 'duck'"):
        kinds()
    catalogue.forget()
