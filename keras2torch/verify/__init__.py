"""Real Keras beside the generated torch module on the same inputs: where do they part?

The only package, beside runtime.py, that imports torch and Keras.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.pipeline import generate
from keras2torch.verify.report import Report, Row, row

__all__ = ["KerasMissingError", "Report", "Row", "verify"]


class KerasMissingError(K2TError):
    """There is no Keras to compare with."""


def verify(
    source: Any,
    *,
    directory: str | Path | None = None,
    name: str | None = None,
    model: str | None = None,
    custom: str | Path | None = None,
    weights: str | Path | None = None,
    gradients: bool = False,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> Report:
    """Compare ``source`` (a path or a live ``keras.Model``) under real Keras with its torch module.

    The module is the one in ``directory``, edited or not, where its file is there; else it is freshly
    generated. ``tolerance`` is relative to Keras's largest value in each comparison; where Keras cannot but round to
    half floats, it is what that takes. Weights that the
    source does not hold are drawn from ``seed``. Raises KerasMissingError where Keras is not installed,
    K2TError where Keras cannot load or run the source.
    """
    from keras2torch.verify import culprit, keras_side, samples, torch_side
    from keras2torch.verify.pairing import WeightPairs

    keras_side.find_keras()
    result = generate(source, name=name, model=model, custom=custom, weights=weights)
    assert result.source is not None
    real = keras_side.KerasSide(_real_model(source, model, custom, weights), result)
    tolerance = max(tolerance, real.rounding)
    pairs = WeightPairs(result.source.model, real.model)
    if not result.weights:
        keras_side.randomise(real.model, seed)
        pairs.attach()
        result.__dict__.pop("weights", None)
    path = Path(directory) / f"{result.name}_model.py" if directory is not None else None
    net = torch_side.TorchSide(result, path if path is not None and path.exists() else None)
    report = Report(_title(source, real, net), tolerance)
    report.rows += net.weight_rows(pairs)
    first = None
    for alternatives in samples.cases(result, seed):
        found = real.run_where_it_fits(alternatives)
        if found is None:
            continue
        case, expected = found
        first = first or case
        report.rows += _output_rows(result, net, case, expected, tolerance)
    if first is None:
        raise K2TError("Keras runs the model on none of the sizes tried", where=real.last_error)
    if gradients:
        draws = [first, *samples.single_samples(result, first, seed)]
        report.rows += net.gradient_rows(real, pairs, draws, tolerance)
    if report.passed:
        inside, report.culprit = culprit.layers_row(result, net, real, first, tolerance)
        report.rows.append(inside)
    else:
        report.culprit = culprit.first_difference(result, net, real, first, tolerance)
        report.culprit = report.culprit or culprit.first_weight(result, report.rows)
    return report


def _real_model(source: Any, model: str | None, custom: Any, weights: Any) -> Any:
    from keras2torch.verify import keras_side

    if not isinstance(source, (str, os.PathLike)):
        return source
    path = Path(source)
    if path.suffix in (".py", ".ipynb"):
        from keras2torch.verify.program import run_program

        return keras_side.compute_in_float32(run_program(path, model, weights))
    return keras_side.compute_in_float32(keras_side.load(path, custom))


def _output_rows(
    result: Any, net: Any, case: Any, expected: list[Any], tolerance: float
) -> list[Row]:
    try:
        actual = net.run(case)
    except Exception as error:  # noqa: BLE001 - whatever an edited file raises
        told = str(error).strip().partition("\n")[0] or type(error).__name__
        return [Row("outputs", case.label, None, None, failure=told)]
    return [
        row(port.name, case.label, left, right, tolerance)
        for port, left, right in zip(result.outputs, actual, expected)
    ]


def _title(source: Any, real: Any, net: Any) -> str:
    name = Path(source).name if isinstance(source, (str, os.PathLike)) else source.name
    return f"{name} in {real.description}, beside {net.description}"
