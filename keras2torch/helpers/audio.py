"""Spectrograms as Keras makes them."""

import math

import torch
from torch import Tensor, nn


class MelSpectrogram(nn.Module):
    """Audio (N, samples) to power on the mel scale (N, mel_bins, frames)."""

    window: Tensor
    triangles: Tensor

    def __init__(
        self,
        fft_length: int,
        stride: int,
        length: int,
        window: str,
        sampling_rate: float,
        mel_bins: int,
        min_freq: float,
        max_freq: float,
        power: float = 2.0,
    ):
        super().__init__()
        self.fft_length, self.stride, self.length, self.power = fft_length, stride, length, power
        values = torch.hann_window(length) if window == "hann" else torch.hamming_window(length)
        self.register_buffer("window", values, persistent=False)
        frequencies = torch.linspace(0, sampling_rate / 2, fft_length // 2 + 1)
        low, high = (1127 * math.log(1 + f / 700) for f in (min_freq, max_freq))
        edges = torch.linspace(low, high, mel_bins + 2)
        mel = 1127 * torch.log(1 + frequencies[1:, None] / 700)
        rising = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
        triangles = torch.minimum(rising, falling).clamp(min=0)
        triangles = torch.cat([torch.zeros(1, mel_bins), triangles])  # none for the constant part
        self.register_buffer("triangles", triangles.T.contiguous(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.stft(
            x, self.fft_length, self.stride, self.length, self.window, return_complex=True
        )
        return self.triangles @ spectrum.abs() ** self.power


def to_decibels(power: Tensor, top: float, smallest: float, reference: float) -> Tensor:
    """Power in dB above ``reference``, at most ``top`` below the loudest of the batch."""
    level = 10 * torch.log10(power.clamp(min=smallest)) - 10 * math.log10(
        max(abs(reference), smallest)
    )
    return torch.maximum(level, level.max() - top)


@torch.no_grad()
def stft_kernel_(weight: Tensor, wave, window: Tensor, scaling: str | None) -> None:
    """Fill a convolution's weight (bins, 1, length) with the windowed waves of a Fourier transform."""
    bins, _, length = weight.shape
    phase = -2 * math.pi * torch.outer(torch.arange(bins) / (2 * (bins - 1)), torch.arange(length))
    scale = 1.0
    if scaling is not None:
        scale = float(window.abs().sum() if scaling == "spectrum" else window.square().sum().sqrt())
    weight.copy_((wave(phase) * window / scale).unsqueeze(1))
