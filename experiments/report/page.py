"""The report of a demo: one HTML file with everything in it, which shows what the folder holds and no more."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from simworld.datasets.store.image_index import read_index
from simworld.datasets.store.label_stream import KIND, ImagesRequest, read_labels
from simworld.datasets.store.manifest import REQUEST
from simworld.datasets.store.request import read_request
from simworld.datasets.video import middle_frame
from simworld.experiments.report import charts
from simworld.experiments.report.charts import Line
from simworld.experiments.report.embedding import data_uri, jpeg_uri, labelled_picture, layers, spread
from simworld.experiments.report.factor_charts import factor_groups
from simworld.experiments.report.records import (
    CloningRecord,
    Demo,
    EvaluationRecord,
    Reinforcement,
    Rollouts,
    ShownLabel,
)
from simworld.extras import extras
from simworld.reading import parse_json, read_bytes, read_json
from simworld.writing import reporting, to_json, write_bytes

REPORT = "report.html"

_LAYERED, _PICTURES = 3, 12
_VIDEOS = {"place_in_box": "PlaceInBox", "reach": "Reach"}

View = dict[str, Any]


def write_report(folder: Path) -> Path:
    """Write `folder/report.html` about what is in the folder, and return its path.

    A part that is not there, or cannot be read, is one line in its section. A folder that cannot be written to raises
    DatasetError.
    """
    with extras():
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": charts.number, "duration": duration}
    page = environment.get_template(REPORT).render(_views(folder))
    path = folder / REPORT
    with reporting(path):
        write_bytes(path, page.encode("utf-8"))
    return path


def duration(seconds: float) -> str:
    """Seconds for people: 9.1 s, 45 s, 5 min 12 s, 1 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def percent(successes: int, of: int) -> str:
    """A success rate with a decimal where it needs one; never 100% where something failed."""
    share = 100 * successes / of
    return f"{min(share, 99.9 if successes < of else 100.0):.1f}".removesuffix(".0") + "%"


def _views(folder: Path) -> View:
    """What each section shows; `missing` in it says why it shows nothing."""

    def section(build: Callable[[Path], View]) -> View:
        try:
            return {"missing": None} | build(folder)
        except FileNotFoundError as error:
            path = Path(str(error.filename))
            return {"missing": f"Not there: {path.relative_to(folder) if path.is_relative_to(folder) else path}."}
        except Exception as error:  # whatever is wrong with a part, the others are shown
            return {"missing": f"Cannot be shown: {type(error).__name__}: {error}"}

    views = {
        "videos": [section(partial(_video, name)) for name in _VIDEOS],
        "reach": section(_reach),
        "cloning": section(_cloning),
        "evaluation": section(_evaluation),
        "images": section(_images),
        "factors": section(_factors),
        "rollouts": section(lambda path: {"summary": read_json(path / "rollouts/summary.json", Rollouts)}),
        "demo": section(_demo),
    }
    return views | {"cards": _cards(views)}


def _cards(views: Mapping[str, Any]) -> list[View]:
    """The headline numbers; what is not known is None."""
    images, rollouts, demo = (views[name] for name in ("images", "rollouts", "demo"))
    count, labels = (
        (None, "not made") if images["missing"] else (images["count"], f"{images['labels']:,} boxes and masks")
    )
    cards = [_success_card(task, views["evaluation"].get("rows", [])) for task in ("PlaceInBox", "Reach")]
    cards.append({"label": "Labelled images", "value": count, "note": labels})
    episodes, steps = (None, "not made")
    if not rollouts["missing"]:
        episodes, steps = rollouts["summary"].episodes, f"{rollouts['summary'].steps:,} steps, in Minari"
    cards.append({"label": "Rollout episodes", "value": episodes, "note": steps})
    total, where = (None, "not finished")
    if not demo["missing"]:
        total, where = duration(demo["record"].total_seconds), f"on {demo['record'].machine.get('cores', '?')} cores"
    return [*cards, {"label": "Time in all", "value": total, "note": where}]


def _success_card(task: str, rows: Sequence[View]) -> View:
    """The first learnt policy of a task."""
    for row in rows:
        if row["task"] == task and row["record"].policy != "expert":
            note = f"{row['name']}; 95% interval {row['interval']}"
            return {"label": f"{task} success", "value": row["rate"], "note": note}
    return {"label": f"{task} success", "value": None, "note": "not evaluated"}


def _video(name: str, folder: Path) -> View:
    path = folder / "videos" / f"{name}.mp4"
    return {
        "task": _VIDEOS[name],
        "source": data_uri("video/mp4", read_bytes(path)),
        "poster": jpeg_uri(middle_frame(path)),
    }


def _reach(folder: Path) -> View:
    training = read_json(folder / "reach/training.json", Reinforcement)
    success = Line("Success", [(p.step, p.success) for p in training.curve])
    gain = Line("Return", [(p.step, p.gain) for p in training.curve])
    rising = "over the steps of training"
    return {
        "training": training,
        "success": charts.line_chart([success], f"Success {rising}", "steps", "{:.0%}".format, (0.0, 1.0)),
        "return": charts.line_chart([gain], f"Return {rising}", "steps"),
    }


def _cloning(folder: Path) -> View:
    training = read_json(folder / "policy/training.json", CloningRecord)
    lines = [Line("Training", [(p.epoch, p.loss) for p in training.curve])]
    if held_out := [(p.epoch, p.held_out) for p in training.curve if p.held_out is not None]:
        lines.append(Line("Held out", held_out))
    drawn = charts.line_chart(lines, "Loss of cloning over the epochs of training", "epochs", within=(0.0,))
    return {"training": training, "loss": drawn}


def _evaluation(folder: Path) -> View:
    paths = sorted((folder / "evaluation").glob("*.json"))
    if not paths:
        raise FileNotFoundError(None, None, str(folder / "evaluation/*.json"))
    found = [(path.stem, read_json(path, EvaluationRecord)) for path in paths]
    found.sort(key=lambda item: (item[1].env_id, item[1].policy != "expert"))
    start = min(0.8, math.floor(10 * min(record.interval[0] for _, record in found)) / 10)
    return {"rows": [_row(stem, record, start) for stem, record in found], "axis": charts.interval_axis(start)}


def _row(stem: str, record: EvaluationRecord, start: float) -> View:
    low, high = record.interval
    first, last = record.first_seed, record.first_seed + record.episodes - 1
    interval = f"{100 * low:.1f} to {100 * high:.1f}%"
    rate = record.successes / record.episodes
    return {
        "record": record,
        "name": record.name or stem.replace("_", " ").capitalize(),
        "task": record.env_id.removeprefix("simworld/").partition("-v")[0],
        "rate": percent(record.successes, record.episodes),
        "interval": interval,
        "chart": charts.interval(rate, low, high, start, f"95% interval {interval}"),
        "seeds": f"seeds {first:,} to {last:,}",
    }


def _images(folder: Path) -> View:
    root, names = folder / "images", _categories(folder / "images")
    shown = {image.id for image in spread(read_index(root), _PICTURES)}
    chosen: list[tuple[View, list[View]]] = []
    counts, total = Counter({name: 0 for name in names.values()}), 0
    for label in read_labels(root):
        total += 1
        counts.update(names[annotation.category_id] for annotation in label.annotations)
        if label.image.id in shown:
            read = parse_json(to_json(label.model_dump()), ShownLabel, "a label")
            annotations = [a.model_dump() | {"category": names[a.category_id]} for a in read.annotations]
            chosen.append((read.image.model_dump(), annotations))
    pictures = [labelled_picture(root, *of) for of in chosen]
    return {
        "count": total,
        "labels": counts.total(),
        "layered": [(picture, layers(root, *of)) for picture, of in zip(pictures[:_LAYERED], chosen, strict=False)],
        "plain": pictures[_LAYERED:],
        "categories": _bars(counts),
    }


def _categories(root: Path) -> dict[int, str]:
    (root / REQUEST).stat()  # which says that it is not there
    return dict(enumerate(read_request(root, KIND, ImagesRequest).categories, start=1))


def _bars(counts: Mapping[str, int]) -> Markup:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return charts.bars({name.replace("_", " "): count for name, count in ordered}, "Labels by category", width=440)


def _factors(folder: Path) -> View:
    _categories(folder / "images")
    drawn = [label.image.model_dump()["parameters"] for label in read_labels(folder / "images")]
    told = read_request(folder / "images", KIND, ImagesRequest).parameters
    groups = factor_groups(drawn, {address: meaning.unit for address, meaning in told.items()})
    return {"groups": groups, "samples": len(drawn), "count": sum(len(group.charts) for group in groups)}


def _demo(folder: Path) -> View:
    return {"record": read_json(folder / "demo.json", Demo)}
