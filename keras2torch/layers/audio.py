"""Spectrograms. Sources: keras/src/layers/preprocessing/{mel,stft}_spectrogram.py of Keras 3.15."""

from __future__ import annotations

import math
from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.initial_text import Lines
from keras2torch.layers.base import Layer
from keras2torch.layers.conv import data_format, output_size, pad_same
from keras2torch.quoting import quote


class MelSpectrogram(Layer):
    """Audio as a spectrogram on the mel scale."""

    fft_length: int = 2048
    sequence_stride: int = 512
    sequence_length: Any = None
    window: Any = "hann"
    sampling_rate: Any = 16000
    num_mel_bins: int = 128
    min_freq: float = 20.0
    max_freq: Any = None
    power_to_db: bool = True
    top_db: float = 80.0
    mag_exp: float = 2.0
    min_power: float = 1e-10
    ref_power: float = 1.0

    def output_spec(self, inputs: Any) -> Spec:
        if len(inputs.shape) != 2:
            raise self.unsupported(
                f"an input of {len(inputs.shape)} axes", "give it (batch, samples)"
            )
        samples = inputs.shape[1]
        frames = None if samples is None else 1 + samples // int(self.sequence_stride)
        return Spec((inputs.shape[0], int(self.num_mel_bins), frames), "float32")

    def lower(self, b: Any, inputs: Any) -> Any:
        if self.window not in ("hann", "hamming"):
            raise self.unsupported(f"window={self.window!r}", "use 'hann' or 'hamming'")
        given = {
            "fft_length": int(self.fft_length),
            "stride": int(self.sequence_stride),
            "length": int(self.sequence_length or self.fft_length),
            "window": self.window,
            "sampling_rate": self.sampling_rate,
            "mel_bins": int(self.num_mel_bins),
            "min_freq": float(self.min_freq),
            "max_freq": float(self.max_freq or int(self.sampling_rate / 2)),
            "power": float(self.mag_exp),
        }
        levels = [float(v) for v in (self.top_db, self.min_power, self.ref_power)]
        shape = b.output_tensors[0].shape
        x = b.call(b.submodule("MelSpectrogram", **given), inputs, shape=shape)
        return b.function("to_decibels", x, *levels, shape=shape) if self.power_to_db else x


class STFTSpectrogram(Layer):
    """A spectrogram by two convolutions with trainable kernels."""

    mode: str = "log"
    frame_length: int = 256
    frame_step: Any = None
    fft_length: Any = None
    window: Any = "hann"
    periodic: bool = False
    scaling: Any = "density"
    padding: str = "valid"
    expand_dims: bool = False
    data_format: Any = None

    layout = "spatial"

    @property
    def channels_first(self) -> bool:
        return data_format(self) == "channels_first"

    def _bins(self) -> int:
        length = self.fft_length or 2 ** math.ceil(math.log2(int(self.frame_length)))
        return int(length) // 2 + 1

    def _step(self) -> int:
        return int(self.frame_step or int(self.frame_length) // 2)

    def build(self, input_shape: Shape) -> None:
        shape = (int(self.frame_length), 1, self._bins())
        for side in ("real", "imag"):
            if self.mode in ("real", "imag") and self.mode != side:
                continue
            kernel = self.add_weight(
                name=f"{side}_kernel", shape=shape, initializer=self._initial(side)
            )
            setattr(self, f"{side}_kernel", kernel)

    def _initial(self, side: str) -> Lines:
        window, length, scaling = self.window, int(self.frame_length), self.scaling
        if window not in ("hann", "hamming", None):
            raise self.unsupported(f"window={window!r}", "use 'hann', 'hamming' or None")
        periodic = "" if self.periodic else ", periodic=False"
        values = f"torch.{window}_window({length}{periodic})" if window else f"torch.ones({length})"
        scaling = quote(scaling if window else None)
        wave = "torch.cos" if side == "real" else "torch.sin"
        return Lines(
            f"{side}{values}{scaling}",
            lambda target: [f"stft_kernel_({target}, {wave}, {values}, {scaling})"],
        )

    def output_spec(self, inputs: Any) -> Spec:
        first = self.channels_first
        batch, (channels, samples) = inputs.shape[0], (
            inputs.shape[1:] if first else inputs.shape[:0:-1]
        )
        frames = output_size(samples, int(self.frame_length), self._step(), 1, self.padding)
        bins = self._bins() * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return Spec(
                (batch, channels, frames, bins) if first else (batch, frames, bins, channels),
                self.dtype,
            )
        many = None if channels is None else channels * bins
        return Spec((batch, many, frames) if first else (batch, frames, many), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        batch, channels, samples = inputs.shape
        if channels is None:
            raise self.unsupported("an unknown number of channels", "give the Input its channels")
        x = inputs
        if channels != 1:
            x = b.method(
                "reshape",
                x,
                -1,
                1,
                -1 if samples is None else samples,
                shape=(None, 1, samples),
                axes=(0, 1, 2),
            )
            if samples is None:
                x = b.method(
                    "unsqueeze",
                    b.method("flatten", inputs, 0, 1, shape=(None, samples), axes=(0, 1)),
                    1,
                    shape=(None, 1, samples),
                    axes=(0, 1, 2),
                )
        length, step = int(self.frame_length), self._step()
        if self.padding == "same":
            x = pad_same(b, x, (length,), (step,), (1,))
        sides = {}
        frames = output_size(samples, length, step, 1, self.padding)
        for side in ("real", "imag"):
            kernel = self.__dict__.get(f"{side}_kernel")
            if kernel is not None:
                conv = b.submodule(
                    "nn.Conv1d",
                    side,
                    weights={"weight": b.mapping(lambda k: k.transpose(2, 1, 0), kernel)},
                    in_channels=1,
                    out_channels=self._bins(),
                    kernel_size=length,
                    stride=step,
                    bias=False,
                )
                shape = (x.shape[0], self._bins(), frames)
                sides[side] = b.call(conv, x, shape=shape, axes=(0, 1, 2), folds=0.0)
        x = self._combined(b, sides)
        bins = x.shape[1]
        x = b.method(
            "unflatten",
            x,
            0,
            (-1, channels),
            shape=(batch, channels, bins, frames),
            axes=(0, 1, 2, 3),
        )
        if self.expand_dims:
            x = b.method("transpose", x, 2, 3, shape=(batch, channels, frames, bins))
            x.axes = (0, 1, 2, 3) if self.channels_first else (0, 3, 1, 2)
            return x
        x = b.method("flatten", x, 1, 2, shape=(batch, channels * bins, frames))
        x.axes = (0, 1, 2) if self.channels_first else (0, 2, 1)
        return x

    def _combined(self, b: Any, sides: dict[str, Any]) -> Any:
        """One spectrogram of the two sides, as ``mode`` has it."""
        mode = self.mode
        if mode in sides:
            return sides[mode]
        real, imag = sides["real"], sides["imag"]
        if mode == "angle":
            return b.function("torch.atan2", imag, real)
        if mode == "stft":
            return b.cat([real, imag], 1)
        power = b.operator("+", b.method("square", real), b.method("square", imag))
        if mode == "psd":
            shape = (power.shape[0], power.shape[1] - 2, power.shape[2])
            middle = b.index(power, (slice(None), slice(1, -1)), shape=shape, axes=power.axes)
            return b.operator(
                "+", power, b.function("F.pad", middle, (0, 0, 1, 1), shape=power.shape)
            )
        x = b.method("sqrt", b.method("clamp", power, min=1e-7))
        return x if mode == "magnitude" else b.function("torch.log", b.method("clamp", x, min=1e-7))
