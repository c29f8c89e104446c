"""Layers whose weight is divided by its spectral norm at each training step, in place, as Keras does."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.no_grad()
def spectral_normalize_(weight: Tensor, vector_u: Tensor, power_iterations: int = 1) -> None:
    """Divide ``weight`` by its largest singular value, found by power iteration from ``vector_u``."""
    matrix, u = weight.flatten(1), vector_u
    for _ in range(power_iterations):
        v = F.normalize(u @ matrix, dim=0)
        u = F.normalize(matrix @ v, dim=0)
    filled = matrix.any()  # a weight of zeros stays as it is
    vector_u.copy_(torch.where(filled, u, vector_u))
    weight.div_(torch.where(filled, u @ matrix @ v, 1.0))


class SpectralLinear(nn.Linear):
    """A linear layer with a weight of spectral norm 1."""

    vector_u: Tensor

    def __init__(
        self, in_features: int, out_features: int, *, power_iterations: int = 1, **options
    ):
        super().__init__(in_features, out_features, **options)
        self.power_iterations = power_iterations
        self.register_buffer("vector_u", torch.empty(out_features))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            spectral_normalize_(self.weight, self.vector_u, self.power_iterations)
        return super().forward(x)


class SpectralConv1d(nn.Conv1d):
    """A convolution with a weight of spectral norm 1."""

    vector_u: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size,
        *,
        power_iterations: int = 1,
        **options,
    ):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.power_iterations = power_iterations
        self.register_buffer("vector_u", torch.empty(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            spectral_normalize_(self.weight, self.vector_u, self.power_iterations)
        return super().forward(x)


class SpectralConv2d(nn.Conv2d):
    """A convolution with a weight of spectral norm 1."""

    vector_u: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size,
        *,
        power_iterations: int = 1,
        **options,
    ):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.power_iterations = power_iterations
        self.register_buffer("vector_u", torch.empty(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            spectral_normalize_(self.weight, self.vector_u, self.power_iterations)
        return super().forward(x)


class SpectralConv3d(nn.Conv3d):
    """A convolution with a weight of spectral norm 1."""

    vector_u: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size,
        *,
        power_iterations: int = 1,
        **options,
    ):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.power_iterations = power_iterations
        self.register_buffer("vector_u", torch.empty(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            spectral_normalize_(self.weight, self.vector_u, self.power_iterations)
        return super().forward(x)


class SpectralConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose weight has spectral norm 1, seen from its inputs."""

    vector_u: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size,
        *,
        power_iterations: int = 1,
        **options,
    ):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.power_iterations = power_iterations
        self.register_buffer("vector_u", torch.empty(in_channels))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self.training:
            spectral_normalize_(self.weight, self.vector_u, self.power_iterations)
        return super().forward(x)
