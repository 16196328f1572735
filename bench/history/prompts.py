"""What the users of the invented history ask for: prompts of 9 to 20 words."""

from __future__ import annotations

from random import Random

SHOTS = (
    "a wide shot of",
    "a close-up of",
    "an oil painting of",
    "a photograph of",
    "a slow pan over",
    "a watercolour of",
    "a pencil sketch of",
    "a bird's-eye view of",
    "a studio portrait of",
    "an isometric drawing of",
)
SUBJECTS = (
    "a red kite",
    "an old lighthouse keeper",
    "two foxes playing",
    "a tram full of flowers",
    "a glass teapot",
    "a sleeping ginger cat",
    "an astronaut with an umbrella",
    "a baker carrying warm bread",
    "a wooden sailing ship",
    "a paper city",
    "a violinist with her eyes closed",
    "three lemons and a blue bowl",
    "a small robot watering plants",
    "a grey heron",
    "a crowd of paper lanterns",
    "a running shoe",
)
PLACES = (
    "over the sea",
    "in a quiet harbour at dawn",
    "on a rainy street in Lisbon",
    "under tall pines in the fog",
    "beside a frozen mountain lake",
    "in a sunlit kitchen",
    "on the roof of a library",
    "at a night market",
    "in the middle of a wheat field",
    "between shelves of old books",
    "on a bright empty beach",
    "in front of a plain grey wall",
)
STYLES = (
    "morning light",
    "shallow focus",
    "muted colours",
    "late afternoon",
    "no people",
    "for a magazine",
    "through wet glass",
    "steady camera",
    "a little nostalgic",
    "natural colours",
)
STYLED = 0.2  # of all prompts end with such words


def prompt(random: Random) -> str:
    """One prompt."""
    words = f"{random.choice(SHOTS)} {random.choice(SUBJECTS)} {random.choice(PLACES)}"
    return f"{words}, {random.choice(STYLES)}" if random.random() < STYLED else words
