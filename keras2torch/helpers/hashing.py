"""TensorFlow's hash of numbers: FarmHash's Fingerprint64 of their decimal text.

Source: farmhash.h (namespace farmhashna) at https://github.com/google/farmhash; 64-bit words wrap around as
torch's int64 does, and are unsigned where they are shifted or divided.
"""

import torch
from torch import Tensor


def hash_bins(x: Tensor, bins: int) -> Tensor:
    """The bin of each number: the hash of its decimal text, as in TensorFlow, modulo ``bins``."""
    hashed = fingerprint(*decimal_text(x.long()))
    return (shifted_right(hashed, 1) % bins * 2 + (hashed & 1)) % bins  # as unsigned


def decimal_text(x: Tensor) -> tuple[Tensor, Tensor]:
    """The bytes of each number's decimal text (..., 32), from the left, and their count."""
    rest = torch.where(x > 0, -x, x)  # the lowest number has no positive counterpart
    digits = []
    for _ in range(19):
        tens = torch.div(rest, 10, rounding_mode="trunc")
        digits.append(tens * 10 - rest)
        rest = tens
    reversed_digits = torch.stack(digits, dim=-1)
    place = torch.arange(19, device=x.device)
    sign = (x < 0).long()
    length = (place * (reversed_digits != 0)).amax(-1) + 1 + sign
    at = length.unsqueeze(-1) - 1 - torch.arange(32, device=x.device)
    text = reversed_digits.gather(-1, at.clamp(0, 18)) + ord("0")
    text[..., 0] = torch.where(x < 0, ord("-"), text[..., 0])
    return text * (at >= 0), length


def fingerprint(text: Tensor, length: Tensor) -> Tensor:
    """Fingerprint64 of texts of up to 32 bytes."""
    k0, k1, k2 = -0x3C5A37A36834CED9, -0x4B6D499041670D8D, -0x651E95C4D06FBFB1

    def word(start: Tensor, count: int = 8) -> Tensor:
        places = (start.unsqueeze(-1) + torch.arange(count, device=text.device)).clamp(0, 31)
        return (text.gather(-1, places) << torch.arange(0, 8 * count, 8, device=text.device)).sum(
            -1
        )

    def byte(place: Tensor) -> Tensor:
        return word(place, 1)

    zero = torch.zeros_like(length)
    factor = k2 + length * 2
    # up to 3 bytes
    y = byte(zero) + (byte(length >> 1) << 8)
    z = length + (byte(length - 1) << 2)
    mixed = (y * k2) ^ (z * k0)
    shortest = (mixed ^ shifted_right(mixed, 47)) * k2
    # 4 to 7
    short = mixed_words(length + (word(zero, 4) << 3), word(length - 4, 4), factor)
    # 8 to 16
    a, b = word(zero) + k2, word(length - 8)
    c = rotated_right(b, 37) * factor + a
    medium = mixed_words(c, (rotated_right(a, 25) + b) * factor, factor)
    # 17 to 32
    a, b = word(zero) * k1, word(zero + 8)
    c, d = word(length - 8) * factor, word(length - 16) * k2
    long = mixed_words(
        rotated_right(a + b, 43) + rotated_right(c, 30) + d,
        a + rotated_right(b + k2, 18) + c,
        factor,
    )
    result = torch.where(length < 8, torch.where(length < 4, shortest, short), medium)
    return torch.where(length > 16, long, result)


def mixed_words(u: Tensor, v: Tensor, factor: Tensor) -> Tensor:
    """Murmur's mix of two 64-bit words."""
    a = (u ^ v) * factor
    a = a ^ shifted_right(a, 47)
    b = (v ^ a) * factor
    return (b ^ shifted_right(b, 47)) * factor


def shifted_right(x: Tensor, bits: int) -> Tensor:
    """An unsigned shift."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def rotated_right(x: Tensor, bits: int) -> Tensor:
    return shifted_right(x, bits) | (x << (64 - bits))
