"""``keras.preprocessing.sequence``."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend.absent import Absent, first_absent
from keras2torch.frontend.standins.arrays import samples

_MANY = 2000


def pad_sequences(
    sequences: Any,
    maxlen: Any = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Any:
    """Lists of numbers as the rows of one array. For many lists the numbers are made up."""
    import numpy as np

    found = first_absent((sequences, maxlen))
    if found is not None:
        length = Absent(found._source) if maxlen is None else maxlen
        return Absent(found._source, (Absent(found._source), length))
    longest = max((len(item) for item in sequences), default=0) if maxlen is None else int(maxlen)
    if len(sequences) > _MANY:
        return samples((len(sequences), longest), np.dtype(dtype).name)
    result = np.full((len(sequences), longest), value, dtype=dtype)
    for row, item in zip(result, sequences):
        kept = list(item)[-longest:] if truncating == "pre" else list(item)[:longest]
        if len(kept):
            row[slice(-len(kept), None) if padding == "pre" else slice(0, len(kept))] = kept
    return result


class TimeseriesGenerator:
    """Windows of ``length`` steps over a table, in batches."""

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ):
        self.data, self.targets, self.length, self.batch_size = data, targets, length, batch_size
        self.steps = length // sampling_rate
        end = len(data) - 1 if end_index is None else end_index
        self.count = max(0, (end - start_index - length) // (batch_size * stride) + 1)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        import numpy as np

        x = np.zeros((self.batch_size, self.steps, *np.shape(self.data)[1:]))
        return x, np.zeros((self.batch_size, *np.shape(self.targets)[1:]))

    def __iter__(self) -> Any:
        return iter([self[0]])


def make_sampling_table(size: int, sampling_factor: float = 1e-05) -> Any:
    import numpy as np

    return np.full(size, sampling_factor)


def skipgrams(sequence: Any, *args: Any, **kwargs: Any) -> Any:
    return [[1, 1]], [0]
