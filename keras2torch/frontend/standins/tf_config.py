"""``tf.config``: no devices, and settings that change nothing."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend.absent import Absent, Source


def list_physical_devices(device_type: Any = None) -> list[Any]:
    return []


list_logical_devices = get_visible_devices = list_physical_devices


def run_functions_eagerly(run_eagerly: bool) -> None:
    pass


NAMES: dict[str, Any] = {
    "list_physical_devices": list_physical_devices,
    "list_logical_devices": list_physical_devices,
    "get_visible_devices": list_physical_devices,
    "run_functions_eagerly": run_functions_eagerly,
    "experimental": Absent(
        Source("tf.config.experimental", known=False, dotted=True),
        None,
        list_physical_devices=list_physical_devices,
        list_logical_devices=list_physical_devices,
    ),
}
