"""``keras.preprocessing.text``: the tokenizer of Keras 1 and 2, which really counts where the text is here."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from keras2torch.frontend.absent import Absent, find_absent, first_absent

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    input_text: Any, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> Any:
    """The words of a text."""
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans({character: split for character in filters}))
    return [word for word in text.split(split) if word]


def one_hot(input_text: Any, n: int, **kwargs: Any) -> Any:
    """Each word as a number below ``n``."""
    return [sum(map(ord, word)) % (n - 1) + 1 for word in text_to_word_sequence(input_text)]


def hashing_trick(text: Any, n: int, *args: Any, **kwargs: Any) -> Any:
    return one_hot(text, n)


class Tokenizer:
    """keras.preprocessing.text.Tokenizer."""

    def __init__(
        self,
        num_words: Any = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: Any = None,
        analyzer: Any = None,
        **kwargs: Any,
    ):
        self.num_words = kwargs.get("nb_words", num_words)
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.word_counts: Any = OrderedDict()
        self.word_index: Any = {}
        self.index_word: Any = {}
        self.document_count: Any = 0

    def _words(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, (list, tuple)):
            return [str(item).lower() if self.lower else str(item) for item in text]
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Any) -> None:
        """Number the words by how often they occur."""
        found = find_absent(texts)
        if found is not None:
            unknown = Absent(found._source)
            self.word_counts = self.word_index = self.index_word = self.document_count = unknown
            return
        for text in texts:
            self.document_count += 1
            for word in self._words(text):
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
        words = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        words = [word for word in ([self.oov_token] if self.oov_token else [])] + words
        self.word_index = {word: i for i, word in enumerate(words, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}

    def fit_on_sequences(self, sequences: Any) -> None:
        self.document_count = len(sequences)

    def texts_to_sequences(self, texts: Any) -> Any:
        """Texts as lists of word numbers, those below ``num_words`` only."""
        found = first_absent((texts, self.word_index, self.num_words))
        if found is not None:
            return Absent(found._source)
        top = self.num_words or float("inf")
        other = self.word_index.get(self.oov_token) if self.oov_token else None
        numbers = [
            [self.word_index.get(word, other) for word in self._words(text)] for text in texts
        ]
        return [[n if n < top else other for n in row if n is not None] for row in numbers]

    def texts_to_matrix(self, texts: Any, mode: str = "binary") -> Any:
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> Any:
        """One row of ``num_words`` numbers per text."""
        import numpy as np

        found = first_absent((sequences, self.num_words))
        if found is not None:
            width = self.num_words or Absent(found._source)
            return Absent(found._source, (Absent(found._source), width))
        width = self.num_words or len(self.word_index) + 1
        return np.zeros((len(sequences), width))

    def sequences_to_texts(self, sequences: Any) -> Any:
        return ["" for _ in sequences]

    def get_config(self) -> dict[str, Any]:
        return {"num_words": self.num_words, "word_index": self.word_index}

    def to_json(self, **kwargs: Any) -> str:
        return "{}"


def tokenizer_from_json(json_string: Any) -> Any:
    return Tokenizer()
