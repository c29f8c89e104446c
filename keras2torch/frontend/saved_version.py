"""Which Keras wrote a config, where it does not say so itself."""

from __future__ import annotations

from typing import Any

_BEFORE_3 = {"batch_input_shape", "border_mode", "dim_ordering", "nb_filter", "inner_init"}
_SINCE_3 = {"module", "registered_name", "batch_shape", "build_config"}


def version_by_form(config: Any) -> tuple[int, ...]:
    """(2,) or (3,) by what only one of them writes; () where there is no sign. Keras 1 counts as 2.

    Nodes that are lists count most: tf.keras 2.12 to 2.15 write ``module``, too.
    """
    keys: set[str] = set()
    pending = [config]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            keys |= item.keys()
            nodes = item.get("inbound_nodes")
            if isinstance(nodes, list) and any(isinstance(node, list) for node in nodes):
                return (2,)
            settings = item.get("config")
            if (
                item.get("class_name") == "Dense"
                and isinstance(settings, dict)
                and "output_dim" in settings
            ):
                return (2,)
            pending += item.values()
    if keys & _BEFORE_3:
        return (2,)
    return (3,) if keys & _SINCE_3 else ()
