"""Fourier transforms and sliding windows over signals.

Keras gives complex results as a pair (real, imaginary). Formulas: keras/src/backend/jax/math.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.errors import ShapeError
from keras2torch.frontend import trace
from keras2torch.graph import Shape
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, function, ops


class _Fourier(Op):
    """One call of torch.fft; the sizes of the last axes change by ``size``."""

    def output_spec(self, x: Any, name: str, n: Any = None) -> Spec:
        shape: Shape = x.shape
        if name == "rfft":
            size = n or shape[-1]
            return Spec((*shape[:-1], None if size is None else size // 2 + 1), "complex64")
        if name == "irfft":
            size = n or (None if shape[-1] is None else 2 * (shape[-1] - 1))
            return Spec((*shape[:-1], size), "float32")
        return Spec(shape, "complex64")

    def lower(self, b: Any, x: Any, name: str, n: Any = None) -> Any:
        spec = b.output_tensors[0]
        kwargs = {} if n is None else {"n": n}
        return b.function(
            f"torch.fft.{name}", x, shape=spec.shape, axes=x.axes, dtype=spec.dtype, **kwargs
        )

    def fold(self, x: Any, name: str, n: Any = None) -> Any:
        return getattr(numpy.fft, name)(x, **({} if n is None else {"n": n}))


class _Complex(Op):
    layout = "any"
    tensors = ("real", "imag")

    def output_spec(self, real: Any, imag: Any) -> Spec:
        return Spec(real.shape, "complex64")

    def lower(self, b: Any, real: Any, imag: Any) -> Any:
        return b.function("torch.complex", real, imag, dtype="complex64")

    def fold(self, real: Any, imag: Any) -> Any:
        return real + 1j * imag


_fourier, _complex = _Fourier(), _Complex()


@function("tf.complex(real=x, imag=y)")
def complex_of(x: Any, y: Any) -> Any:
    """A complex tensor of its two parts."""
    return _complex.record(x, y)


def _joined(x: Any) -> Any:
    if not isinstance(x, (list, tuple)) or len(x) != 2:
        raise ShapeError(
            "a pair of tensors, real and imaginary, is expected", where=trace.user_location()
        )
    return complex_of(*x)


def _pair(z: Any) -> tuple[Any, Any]:
    return ops.real(z), ops.imag(z)


def _transform(name: str) -> Any:
    def run(x: Any) -> Any:
        return _pair(_fourier.record(_joined(x), name))

    return run


for _name in ("fft", "fft2", "ifft2"):
    function(f"keras.ops.{_name}")(_transform(_name))


@function("keras.ops.rfft")
def rfft(x: Any, fft_length: Any = None) -> Any:
    return _pair(_fourier.record(x, "rfft", fft_length))


@function("keras.ops.irfft")
def irfft(x: Any, fft_length: Any = None) -> Any:
    return _fourier.record(_joined(x), "irfft", fft_length)


def _complex64(x: Any) -> Any:
    x = as_operand(x)
    return x if x.dtype.startswith("complex") else complex_of(x, ops.zeros_like(x))


def _tf_transform(name: str) -> Any:
    def run(x: Any) -> Any:
        return _fourier.record(_complex64(x), name)

    return run


for _path, _name in {"fft": "fft", "ifft": "ifft", "fft2d": "fft2", "ifft2d": "ifft2"}.items():
    function(f"{{tf.signal,tf}}.{_path}(input=x)")(_tf_transform(_name))


@function("{tf.signal,tf}.rfft(input=input_tensor)")
def tf_rfft(input_tensor: Any, fft_length: Any = None) -> Any:
    return _fourier.record(input_tensor, "rfft", _number(fft_length))


@function("{tf.signal,tf}.irfft(input=input_tensor)")
def tf_irfft(input_tensor: Any, fft_length: Any = None) -> Any:
    return _fourier.record(input_tensor, "irfft", _number(fft_length))


def _number(value: Any) -> Any:
    value = as_plain(value)
    return int(numpy.ravel(value)[0]) if value is not None else None


class _Windows(Op):
    """Windows of the last axis: (..., signal) to (..., windows, length)."""

    def output_spec(self, x: Any, length: int, stride: int) -> Spec:
        size = x.shape[-1]
        count = None if size is None else max(0, (size - length) // stride + 1)
        return Spec((*x.shape[:-1], count, length), x.dtype)

    def lower(self, b: Any, x: Any, length: int, stride: int) -> Any:
        shape = b.output_tensors[0].shape
        return b.method("unfold", x, -1, length, stride, shape=shape, axes=tuple(range(len(shape))))


_windows = _Windows()


@function("keras.ops.extract_sequences")
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    return _windows.record(x, int(sequence_length), int(sequence_stride))


@function("tf.signal.frame")
def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: int = -1,
) -> Any:
    signal = as_operand(signal)
    length, step = int(as_plain(frame_length)), int(as_plain(frame_step))
    if axis not in (-1, len(signal.shape) - 1):
        raise _windows.unsupported(
            "tf.signal.frame along another axis than the last", "transpose first"
        )
    if pad_end:
        size = signal.shape[-1]
        if size is None:
            raise _windows.unsupported(
                "pad_end of a signal of unknown length", "give the Input a full shape"
            )
        missing = max(0, (-(-size // step) - 1) * step + length - size)
        signal = ops.pad(
            signal, [(0, 0)] * (len(signal.shape) - 1) + [(0, missing)], constant_values=pad_value
        )
    return extract_sequences(signal, length, step)


def window_of(window: Any, length: int, size: int) -> Any:
    """A window of ``length``, in the middle of ``size`` zeros."""
    if window is None:
        return numpy.ones(size, "float32")
    if isinstance(window, str):
        phase = (
            2 * numpy.pi * numpy.arange(length) / length
        )  # periodic, as scipy.signal.get_window has it
        share = {"hann": 0.5, "hamming": 0.54}[window]
        values = share - (1 - share) * numpy.cos(phase) if length > 1 else numpy.ones(1)
    else:
        values = numpy.asarray(as_plain(as_operand(window)))
    left = (size - length) // 2
    return numpy.pad(values, (left, size - length - left)).astype("float32")


@function("keras.ops.stft")
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Fourier transforms of windows: (..., windows, frequencies), real and imaginary."""
    x = as_operand(x)
    if center:
        pads = [(0, 0)] * (len(x.shape) - 1) + [(fft_length // 2, fft_length // 2)]
        x = ops.pad(x, pads, mode="reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    return rfft(frames * window_of(window, sequence_length, fft_length))


class _OverlapAdd(Op):
    """(..., windows, length) to (..., signal): windows laid over one another, ``stride`` apart."""

    def output_spec(self, x: Any, stride: int) -> Spec:
        count, length = x.shape[-2:]
        return Spec(
            (*x.shape[:-2], None if count is None else (count - 1) * stride + length), x.dtype
        )

    def lower(self, b: Any, x: Any, stride: int) -> Any:
        shape = b.output_tensors[0].shape
        return b.function("overlap_add", x, stride, shape=shape, axes=tuple(range(len(shape))))


_overlap_add = _OverlapAdd()


@function("tf.signal.overlap_and_add")
def overlap_and_add(signal: Any, frame_step: Any) -> Any:
    return _overlap_add.record(signal, int(as_plain(frame_step)))


@function("keras.ops.istft")
def istft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, length: Any = None, window: Any = "hann",
    center: bool = True,
) -> Any:  # fmt: skip
    """The signal whose windows have these transforms: windowed again, over the windows' summed squares."""
    frames = irfft(x, fft_length)
    values = window_of(window, sequence_length, fft_length)
    signal = overlap_and_add(frames * values, sequence_stride)
    count = frames.shape[-2]
    if count is None:
        raise _overlap_add.unsupported(
            "istft of an unknown number of windows", "give the Input a full shape"
        )
    weight = numpy.zeros((count - 1) * sequence_stride + fft_length, "float32")
    for i in range(count):
        weight[i * sequence_stride : i * sequence_stride + fft_length] += values**2
    scale = 1 if window is not None else fft_length / sequence_stride  # Keras's sum of bare windows
    signal = signal * (scale / numpy.where(weight > 1e-10, weight, 1.0)).astype("float32")
    start = fft_length // 2 if center else 0
    if length is not None:
        return signal[..., start : start + length]
    return signal[..., start : -(fft_length // 2)] if center else signal


__all__ = ["complex_of", "window_of"]
