"""Writes the small files that the programs here read, into data/: python make_data.py"""

import csv
import random
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits, load_iris

HERE = Path("data")


def iris() -> None:
    flowers = load_iris()
    with open(HERE / "iris.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "species"])
        for row, kind in zip(flowers.data, flowers.target):
            writer.writerow([*row, flowers.target_names[kind]])


def digits() -> None:
    """The digits 0, 1 and 2 as PNG files, one folder a class."""
    pictures = load_digits()
    for index, (image, digit) in enumerate(zip(pictures.images, pictures.target)):
        if digit < 3:
            folder = HERE / "digits" / "zero one two".split()[digit]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray((image * 15.9).astype("uint8")).save(folder / f"{index:04}.png")


def reviews() -> None:
    """Made-up sentences, kind or unkind by the words in them."""
    rng = random.Random(0)
    kind = "good great lovely superb moving brilliant warm".split()
    unkind = "bad dull awful tedious clumsy hollow cold".split()
    others = "the film a story of this actor and that scene was rather so very its end".split()
    with open(HERE / "reviews.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "positive"])
        for _ in range(400):
            positive = rng.random() < 0.5
            words = rng.choices(others, k=rng.randint(4, 16))
            words += rng.choices(kind if positive else unkind, k=rng.randint(1, 3))
            rng.shuffle(words)
            writer.writerow([" ".join(words).capitalize() + ".", int(positive)])


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    iris()
    digits()
    reviews()
