"""The sensor of a camera: what it makes of the light and the distances that the lens brings. By default it is ideal."""

from typing import Annotated

from pydantic import Field

from simworld.plain import Fraction, Plain

Gain = Annotated[float, Field(ge=0, le=64)]


class ColorSensor(Plain):
    """From the picture's light to its bytes. White is 1; lengths are shares of the image's height.

    `vignetting` is the share of light lost at the corners, and grows with the square of the distance from the middle.
    `defocus` is the standard deviation of a Gaussian; `motion_blur` the length of a line along `motion_direction`,
    in radians from right towards down. `shot_noise` is the standard deviation at white and grows with the root of the
    light; `read_noise` is that of the dark. `gain`, and `white_balance` of red and blue, amplify the noise too.
    `dead_pixels` is the share of pixels that are always black or white. `jpeg_quality` is 1 to 100, or 0 for none.
    """

    vignetting: Fraction = 0.0
    defocus: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    motion_blur: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    motion_direction: float = 0.0
    shot_noise: Fraction = 0.0
    read_noise: Fraction = 0.0
    gain: Gain = 1.0
    white_balance: tuple[Gain, Gain] = (1.0, 1.0)
    dead_pixels: Fraction = 0.0
    jpeg_quality: Annotated[int, Field(ge=0, le=100)] = 0


class DepthSensor(Plain):
    """From true depth to what is measured of it, where 0 is no measurement.

    `flying` is the share of the pixels at depth's edges that are measured between foreground and background. `noise`
    scales the published noise of a Kinect (Nguyen, Izadi and Lovell 2012), of which the standard deviation at z metres
    is 0.0012 + 0.0019 (z - 0.4)^2 metres. `quantization` is the step at 1 m, in metres, of a sensor that measures
    disparity: it grows with z^2. `holes` is the share of pixels without measurement, in clumps, most where surfaces
    are seen at grazing angles.
    """

    flying: Fraction = 0.0
    noise: Annotated[float, Field(ge=0, le=100)] = 0.0
    quantization: Annotated[float, Field(ge=0, le=1)] = 0.0
    holes: Fraction = 0.0


class Sensor(Plain):
    """A sensor for colour and for depth; `seed` says which noise, and which pixels are dead."""

    color: ColorSensor = ColorSensor()
    depth: DepthSensor = DepthSensor()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @property
    def ideal(self) -> bool:
        """Whether it delivers what it gets."""
        return self.color == ColorSensor() and self.depth == DepthSensor()
