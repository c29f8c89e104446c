"""``keras.datasets``: arrays of the right shape, dtype and labels, without a download."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras2torch import config
from keras2torch.frontend.standins.arrays import plain, samples

_LONGEST = {"imdb": (2494, 2315), "reuters": (2376, 1032)}
_WORDS = {"imdb": 88584, "reuters": 30979}


def _images(
    shape: tuple[int, ...], sizes: tuple[int, int], classes: int, column: bool
) -> dict[str, Any]:
    """Images with labels 0 to ``classes`` - 1; ``column`` labels have the shape (n, 1)."""

    def load_data(path: Any = None, label_mode: str = "fine") -> Any:
        def part(n: int) -> Any:
            size = shape
            if len(size) == 3 and config.image_data_format == "channels_first":
                size = (size[2], size[0], size[1])
            count = 20 if label_mode == "coarse" else classes
            labels = samples((n, 1) if column else (n,), "uint8", count)
            return samples((n, *size), "uint8"), plain(labels)

        return part(sizes[0]), part(sizes[1])

    return {"load_data": load_data}


class WordIndex(dict):
    """A word index of the true length; words that are asked for by name are found."""

    def __missing__(self, word: str) -> int:
        return 1


def _texts(name: str, classes: int, sizes: tuple[int, int]) -> dict[str, Any]:
    """Lists of word numbers, the longest of the true length, all below ``num_words``."""
    highest = _WORDS[name] + 2

    def load_data(
        path: Any = None,
        num_words: int | None = None,
        skip_top: int = 0,
        maxlen: int | None = None,
        test_split: float = 0.2,
        seed: int = 113,
        start_char: int | None = 1,
        oov_char: int = 2,
        index_from: int = 3,
        nb_words: int | None = None,
        **kwargs: Any,
    ) -> Any:
        top = min(num_words or nb_words or highest + 1, highest + 1) - 1

        def part(n: int, longest: int) -> Any:
            first = ([1] + [i % min(500, top) for i in range(4, longest + 2)] + [top])[:longest]
            common = first[:4]  # short: scripts loop over all of them
            texts = np.empty(n, dtype=object)
            for i in range(n):
                texts[i] = common
            texts[0] = (first[:-1] + [top])[: maxlen - 1 if maxlen else None]
            return texts, np.arange(n) % classes

        total = sum(sizes)
        train = sizes[0] if test_split == 0.2 else int(total * (1 - test_split))
        longest = _LONGEST[name]
        return part(train, longest[0]), part(total - train, longest[1])

    def get_word_index(path: Any = None) -> WordIndex:
        return WordIndex((f"word{i}", i) for i in range(1, _WORDS[name] + 1))

    return {"load_data": load_data, "get_word_index": get_word_index, "get_label_names": _topics}


def _topics() -> tuple[str, ...]:
    return tuple(f"topic{i}" for i in range(46))


def _table(columns: int, n: int, dtype: str) -> dict[str, Any]:
    def load_data(
        version: str = "large", path: Any = None, test_split: float = 0.2, seed: int = 113
    ) -> Any:
        count = 600 if version == "small" else n
        random = np.random.default_rng(seed)
        x, y = random.random((count, columns)).astype(dtype), random.random(count).astype(dtype)
        train = int(count * (1 - test_split))
        return (x[:train], y[:train] * 50), (x[train:], y[train:] * 50)

    return {"load_data": load_data}


mnist = _images((28, 28), (60000, 10000), 10, False)
fashion_mnist = _images((28, 28), (60000, 10000), 10, False)
cifar10 = _images((32, 32, 3), (50000, 10000), 10, True)
cifar100 = _images((32, 32, 3), (50000, 10000), 100, True)
imdb = _texts("imdb", 2, (25000, 25000))
reuters = _texts("reuters", 46, (8982, 2246))
boston_housing = _table(13, 506, "float64")
california_housing = _table(8, 20640, "float32")
