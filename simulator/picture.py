"""A small landscape with kites, different for every name and quick to draw without any library.

A row of pixels is bytes; every shape gives, for a row, the span it covers.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from simulator import png
from simulator.content import Content

Colour = tuple[int, int, int]
Span = tuple[float, float]

_AREA = 768 * 768  # pixels; with the grain about 200 KB
_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((38, 84, 140), (246, 190, 154)),
    ((70, 150, 200), (230, 240, 235)),
    ((58, 52, 110), (240, 150, 130)),
    ((30, 110, 130), (244, 224, 170)),
    ((96, 120, 190), (250, 205, 215)),
)
_HILLS: tuple[Colour, ...] = ((96, 140, 120), (66, 112, 96), (44, 84, 78))
_SAILS: tuple[tuple[Colour, Colour], ...] = (
    ((214, 60, 56), (244, 130, 80)),
    ((240, 180, 60), (250, 222, 130)),
    ((40, 120, 160), (110, 190, 210)),
    ((120, 70, 140), (196, 130, 190)),
    ((30, 130, 100), (130, 200, 140)),
)
_GRAIN = b"\0\1\0"  # which bits of a pixel are noise: the lowest of green, which nobody sees


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The sun, a cloud's puff or a hill."""

    x: float
    y: float
    rx: float
    ry: float
    colour: Colour

    def span(self, y: float) -> Span | None:
        """Where this row crosses the ellipse."""
        inside = 1 - ((y - self.y) / self.ry) ** 2
        if inside <= 0:
            return None
        half = self.rx * math.sqrt(inside)
        return self.x - half, self.x + half


@dataclass(frozen=True, slots=True)
class Triangle:
    """A quarter of a kite: two corners on its spine, one at its side."""

    top: tuple[float, float]
    side: tuple[float, float]
    bottom: tuple[float, float]
    colour: Colour

    def span(self, y: float) -> Span | None:
        """Where this row crosses the triangle."""
        corners = (self.top, self.side, self.bottom)
        edges = zip(corners, (*corners[1:], corners[0]), strict=True)
        found = [
            x0 + (y - y0) * (x1 - x0) / (y1 - y0)
            for (x0, y0), (x1, y1) in edges
            if min(y0, y1) <= y < max(y0, y1)
        ]
        return (min(found), max(found)) if len(found) > 1 else None


Shape = Ellipse | Triangle


@lru_cache(maxsize=16)
def build(name: str, prompt: str, ratio: str, size: int) -> Content:
    """The PNG for this name and prompt, of this aspect ratio, padded to about `size` bytes."""
    seed = hashlib.sha256(f"{name}\0{prompt}".encode()).hexdigest()
    width, height = dimensions(ratio)
    return png.encode(width, height, _rows(width, height, seed), comment=name, size=size)


def dimensions(ratio: str) -> tuple[int, int]:
    """Width and height for `16:9` and the like; square for anything else."""
    left, _, right = ratio.partition(":")
    if not (left.isdigit() and right.isdigit() and 0 < int(left) <= 8 * int(right) <= 512):
        return dimensions("1:1")
    width = math.sqrt(_AREA * int(left) / int(right))
    return round(width), round(_AREA / width)


def _rows(width: int, height: int, seed: str) -> Iterator[bytes]:
    rng = random.Random(seed)
    top, bottom = rng.choice(_SKIES)
    shapes = [*_sky(rng, width, height), *_hills(rng, width, height), *_kites(rng, width, height)]
    mask = int.from_bytes(_GRAIN * width, "big")
    for y in range(height):
        row = bytearray(bytes(_mixed(top, bottom, y / height)) * width)
        for shape in shapes:
            _paint(row, shape.span(y + 0.5), shape.colour, width)
        grain = int.from_bytes(rng.randbytes(len(row)), "big") & mask
        yield (int.from_bytes(row, "big") ^ grain).to_bytes(len(row), "big")


def _paint(row: bytearray, span: Span | None, colour: Colour, width: int) -> None:
    """Fill the span; its two end pixels are mixed by how much of them it covers."""
    if span is None:
        return
    left, right = max(0.0, span[0]), min(float(width), span[1])
    if left >= right:
        return
    first, last = math.ceil(left), math.floor(right)
    if first <= last:
        row[first * 3 : last * 3] = bytes(colour) * (last - first)
    for x, cover in ((first - 1, first - left), (last, right - last)):
        if 0 <= x < width and cover > 0:
            under = (row[x * 3], row[x * 3 + 1], row[x * 3 + 2])
            row[x * 3 : x * 3 + 3] = bytes(_mixed(under, colour, min(1.0, cover)))


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(rng: random.Random, width: int, height: int) -> Iterator[Shape]:
    radius = min(width, height) * rng.uniform(0.07, 0.12)
    sun_x, sun_y = width * rng.uniform(0.12, 0.88), height * rng.uniform(0.14, 0.5)
    yield Ellipse(sun_x, sun_y, radius, radius, (255, 236, 190))
    for _ in range(3):
        x, y = width * rng.random(), height * rng.uniform(0.08, 0.5)
        puff = min(width, height) * rng.uniform(0.03, 0.05)
        for step in range(4):
            size = puff * (1.5 - abs(step - 1.5) / 2)
            yield Ellipse(x + step * puff * 1.3, y, size * 1.5, size * 0.6, (250, 246, 240))


def _hills(rng: random.Random, width: int, height: int) -> Iterator[Shape]:
    for depth, colour in enumerate(_HILLS):
        for side in (0.15, 0.85):
            x = width * (side + rng.uniform(-0.25, 0.25))
            rise = height * (0.3 - 0.07 * depth) * rng.uniform(0.8, 1.1)
            yield Ellipse(x, height + 1, width * rng.uniform(0.6, 0.9), rise, colour)


def _kites(rng: random.Random, width: int, height: int) -> Iterator[Shape]:
    sails = rng.sample(_SAILS, 3)
    for index, sail in enumerate(sails):
        x = width * (0.2 + 0.3 * index + rng.uniform(-0.07, 0.07))
        y = height * rng.uniform(0.22, 0.56)
        yield from _kite(x, y, min(width, height) * rng.uniform(0.07, 0.13), sail, rng)


def _kite(
    x: float, y: float, size: float, sail: tuple[Colour, Colour], rng: random.Random
) -> Iterator[Shape]:
    tilt = rng.uniform(-0.5, 0.5)
    dark, light = sail

    def turned(right: float, down: float) -> tuple[float, float]:
        cos, sin = math.cos(tilt), math.sin(tilt)
        return x + size * (right * cos - down * sin), y + size * (right * sin + down * cos)

    for step in range(1, 22):
        sway = 0.22 * math.sin(step / 2.6)
        bead = size * (0.085 if step % 4 == 0 else 0.02)
        bead_x, bead_y = turned(sway, 1.4 + step * 0.1)
        yield Ellipse(bead_x, bead_y, bead, bead, light if step % 8 else dark)
    nose, tail, middle = turned(0, -1), turned(0, 1.4), turned(0, -0.2)
    for across, upper, lower in ((-0.72, dark, light), (0.72, light, dark)):
        yield Triangle(nose, turned(across, -0.2), middle, upper)
        yield Triangle(middle, turned(across, -0.2), tail, lower)
