"""TensorFlow's spectrograms: windows, short-time Fourier transforms, and the mel scale.

Sources: tensorflow/python/ops/signal/{window,spectral,mel}_ops.py of TensorFlow 2.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.ops.base import as_operand, as_plain, function
from keras2torch.ops.signal import frame, tf_rfft


@function("tf.signal.hann_window")
def hann_window(window_length: Any, periodic: bool = True, dtype: Any = None) -> Any:
    return as_operand(_cosine(int(as_plain(window_length)), periodic, 0.5))


@function("tf.signal.hamming_window")
def hamming_window(window_length: Any, periodic: bool = True, dtype: Any = None) -> Any:
    return as_operand(_cosine(int(as_plain(window_length)), periodic, 0.54))


def _cosine(length: int, periodic: bool, share: float) -> Any:
    """A raised cosine; of an odd length it is never periodic in TensorFlow."""
    if length == 1:
        return numpy.ones(1, "float32")
    period = length if periodic and length % 2 == 0 else length - 1
    phase = 2 * numpy.pi * numpy.arange(length) / period
    return (share - (1 - share) * numpy.cos(phase)).astype("float32")


@function("tf.signal.stft")
def tf_stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Any = hann_window,
    pad_end: bool = False,
) -> Any:
    """Fourier transforms of windows, zeros behind them up to ``fft_length``: the next power of 2 where it is None."""
    length = int(as_plain(frame_length))
    size = 1 << (length - 1).bit_length() if fft_length is None else as_plain(fft_length)
    frames = as_operand(frame(signals, length, frame_step, pad_end))
    if window_fn is not None:
        frames = frames * as_operand(window_fn(length, dtype="float32"))
    return tf_rfft(frames, None if size == length else size)


@function("tf.signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0,
    dtype: Any = None,
) -> Any:
    """What a spectrogram is multiplied by: a triangle on the mel scale for each band."""
    count, bins = int(as_plain(num_mel_bins)), int(as_plain(num_spectrogram_bins))
    low, high = _mel(as_plain(lower_edge_hertz)), _mel(as_plain(upper_edge_hertz))
    places = _mel(numpy.linspace(0, as_plain(sample_rate) / 2, bins)[1:])[:, None]
    edges = numpy.linspace(low, high, count + 2)
    left, center, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (places - left) / (center - left), (right - places) / (right - center)
    weights = numpy.maximum(0, numpy.minimum(rising, falling))
    return as_operand(numpy.pad(weights, [(1, 0), (0, 0)]).astype("float32"))


def _mel(hertz: Any) -> Any:
    return 1127.0 * numpy.log1p(numpy.asarray(hertz, "float64") / 700.0)
