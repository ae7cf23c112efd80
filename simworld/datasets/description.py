"""What a reader of a dataset of images needs to know, written into the dataset: nothing of it is only in code."""

from collections.abc import Mapping, Sequence
from typing import Any

from simworld.datasets.store.folder import software
from simworld.datasets.store.request import FORMAT_VERSION

DEPTH_UNITS = 10_000
"""Units of a depth image in a metre."""

CONVENTIONS: Mapping[str, str] = {
    "units": "metres, kilograms, seconds, newtons, radians; what is otherwise says so",
    "world_frame": "right-handed, z up; the upper face of the table is z = 0",
    "camera_frame": "OpenCV's: x to the right of the image, y down, z forward",
    "matrices": "row by row; R and t take a column of coordinates p to R p + t",
    "quaternions": "x, y, z, w",
    "pixels": "the pixel in column i and row j, from 0 at the upper left, covers [i, i + 1) x [j, j + 1): in K, its "
    "centre is (i + 0.5, j + 0.5); for code with centres at whole numbers, as OpenCV's, take 0.5 from K's cx and cy",
    "projection": "of a point X in the world: (x, y, z) = R X + t by world_to_camera; a = x / z, b = y / z; "
    "r2 = a a + b b; k = 1 + k1 r2 + k2 r2^2 + k3 r2^3; column = fx (k a + 2 p1 a b + p2 (r2 + 2 a a)) + cx; "
    "row = fy (k b + p1 (r2 + 2 b b) + 2 p2 a b) + cy; nothing is seen where z is not positive or r2 exceeds fold_r2",
    "rgb": "PNG, sRGB, 8 bits a channel, as the camera's sensor delivers it",
    "depth": "PNG, 16 bits: value * depth_scale is the distance in metres along the camera's z axis, not along the "
    "ray; 0 is no measurement, 65535 is 6.5535 m or more. depth_file is what the sensor delivers, with its noise and "
    "holes; depth_gt_file is exact, and 0 where there is nothing",
    "segmentation": "PNG, 8 bits, or 16 where an id exceeds 255: the id, of the image's instances, of what is seen at "
    "the pixel's centre; 0 is background",
    "ids": "image i is the one with id i + 1; an annotation's id is its image's times 100,000 plus its instance's id",
}

IMAGE_FIELDS: Mapping[str, str] = {
    "camera": "name; width and height in pixels; K (9); distortion (k1, k2, p1, p2, k3) in OpenCV's order; fold_r2, "
    "from which on the lens would fold the image back, null where it never does; world_to_camera (12), [R | t] in "
    "metres; near and far, in metres of depth, bound what is seen",
    "depth_scale": "metres in a unit of the depth images",
    "instances": "id, name and category of all that the scene has, seen or not",
    "sample": "seed/index/step/camera: the episode, how many of its steps were before, and the name of the camera",
    "seed, index": "begin the episode again, with the parameters, in the environment of the request",
    "step": "how many steps of the episode were before; a stored episode of that seed and index has the state in that "
    "row of its states",
    "group": "what belongs together: images of one scene, and of scenes that share drawn values with it, have the "
    "same; keep them in the same part of a split",
    "parameters": "every value that was drawn for the scene; info.parameters says what each is",
    "redrawn": "how often each of them was drawn again because what was drawn before could not be",
}

ANNOTATION_FIELDS: Mapping[str, str] = {
    "bbox, area, segmentation": "COCO's, of what is seen",
    "name, instance_id": "which of the image's instances it is",
    "pose_camera": "rotation (9) and translation (3) from the thing's own frame to the camera's",
    "bbox_3d": "center and half_extents (3 each) of the least box along the axes of its own frame that holds it, with "
    "what is hidden; null of the robot",
    "keypoints, num_keypoints": "COCO's, in the order of the category's names: column, row, and 2 for what is seen, 1 "
    "for what is hidden and 0 for what is not there; of what has any",
    "symmetries_discrete, symmetries_continuous": "as in BOP's models_info, in metres, in the thing's own frame: rigid "
    "motions (16) that map its shape onto itself, and axes with offsets (3 each) about which every turn does; of what "
    "has any",
    "mesh": "name, digest, scale and stretch of the mesh that it is, from which its surface follows; null of others",
    "color": "sRGB, red, green, blue in 0..1, before textures; null of the robot and of what has colours of its own",
}


class SharedInstances:
    """The instances that have the same id, name and category in every scene that was seen."""

    def __init__(self) -> None:
        self._shared: list[dict[str, Any]] | None = None

    def seen(self, image: dict[str, Any]) -> dict[str, Any]:
        """Take note of the entry of an image, and give it back."""
        known = image["instances"]
        self._shared = [i for i in (known if self._shared is None else self._shared) if i in known]
        return image

    @property
    def instances(self) -> list[dict[str, Any]]:
        """What is shared."""
        return self._shared or []


def describe_images(request: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """COCO's `info`: the request, versions, what every field and number means, and the `instances` of all scenes."""
    asked = {name: value for name, value in request.items() if name != "parameters"}
    return {
        "description": "Labelled images by simworld, described by the other fields of info",
        "version": str(FORMAT_VERSION),
        "simworld": {"format_version": FORMAT_VERSION, "software": software(), "request": asked},
        "depth_scale": 1 / DEPTH_UNITS,
        "instances": list(instances),
        "conventions": dict(CONVENTIONS),
        "image_fields": dict(IMAGE_FIELDS),
        "annotation_fields": dict(ANNOTATION_FIELDS),
        "parameters": request.get("parameters", {}),
    }
