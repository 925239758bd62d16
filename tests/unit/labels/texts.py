"""Synthetic texts of three moods, by many authors."""

import csv
import random
from pathlib import Path

MOODS = {
    "negative": "awful late broken rude lost terrible worst cancelled".split(),
    "neutral": "when gate number today schedule report city booking".split(),
    "positive": "lovely great thanks happy wonderful best smooth kind".split(),
}
FILLER = "the flight was at noon and we sat there".split()


def sentence(mood: str, numbers: random.Random) -> str:
    words = [*numbers.sample(MOODS[mood], 3), *numbers.sample(FILLER, 4)]
    numbers.shuffle(words)
    return " ".join(words)


def rows(count: int, seed: int = 1) -> list[dict[str, str]]:
    """`count` rows: text, label, author (six rows each) and language."""
    numbers = random.Random(seed)
    moods = [numbers.choice(list(MOODS)) for _ in range(count)]
    return [
        {"text": sentence(mood, numbers), "label": mood, "author": f"sim_{n // 6}", "lang": "en-GB"}
        for n, mood in enumerate(moods)
    ]


def write(path: Path, content: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(content[0]))
        writer.writeheader()
        writer.writerows(content)
    return path
