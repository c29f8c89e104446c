"""The generated script learns as Keras does: the same loss and metrics at every step, the same weights.

Every epoch of these cases is one batch of all samples, so an epoch's line is a step's.
"""

from __future__ import annotations

import numpy as np
import pytest
from training_oracle import Case, run_script

pytestmark = pytest.mark.thin(14)

SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def optimizer(make, **fit):
    return Case(
        lambda k: {"optimizer": make(k.optimizers), **SPARSE}, lambda k: fit, activation="softmax"
    )


OPTIMIZERS = {
    "adam": optimizer(lambda o: o.Adam(0.01)),
    "adam_large_epsilon": optimizer(lambda o: o.Adam(0.01, epsilon=1e-3, beta_1=0.8)),
    "amsgrad": optimizer(lambda o: o.Adam(0.01, amsgrad=True)),
    "adamw": optimizer(lambda o: o.AdamW(0.01, weight_decay=0.05)),
    "adam_decay": optimizer(lambda o: o.Adam(0.01, weight_decay=0.05)),
    "sgd": optimizer(lambda o: o.SGD(0.1)),
    "momentum": optimizer(lambda o: o.SGD(0.05, momentum=0.9)),
    "nesterov": optimizer(lambda o: o.SGD(0.05, momentum=0.9, nesterov=True)),
    "sgd_decay": optimizer(lambda o: o.SGD(0.05, momentum=0.9, weight_decay=0.02)),
    # With 0.01 a change of the weights by 1e-7 grows to 3e-4 of the loss within 60 steps.
    "rmsprop": optimizer(lambda o: o.RMSprop(0.003)),
    "rmsprop_momentum": optimizer(lambda o: o.RMSprop(0.003, momentum=0.9)),
    "rmsprop_centered": optimizer(lambda o: o.RMSprop(0.003, momentum=0.5, centered=True)),
    "adamax": optimizer(lambda o: o.Adamax(0.01)),
    "nadam": optimizer(lambda o: o.Nadam(0.01)),
    "adagrad": optimizer(lambda o: o.Adagrad(0.05)),
    "adadelta": optimizer(lambda o: o.Adadelta(1.0)),
    "ftrl": optimizer(
        lambda o: o.Ftrl(0.05, l1_regularization_strength=1e-3, l2_regularization_strength=1e-3)
    ),
    "lion": optimizer(lambda o: o.Lion(0.003)),
    "lamb": optimizer(lambda o: o.Lamb(0.01)),
    "schedule_free": optimizer(lambda o: o.ScheduleFreeAdamW(0.01, warmup_steps=5)),
    "ema": optimizer(
        lambda o: o.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=7),
        epochs=63,  # ends with an overwriting: weights and average are one
    ),
    "accumulation": optimizer(
        lambda o: o.Adam(0.01, gradient_accumulation_steps=3), epochs=10, batch_size=16
    ),
    "legacy_loss_scale": optimizer(lambda o: o.SGD(0.1, loss_scale_factor=8.0)),
    "clipnorm": optimizer(lambda o: o.SGD(0.1, clipnorm=0.05)),
    "global_clipnorm": optimizer(lambda o: o.SGD(0.1, global_clipnorm=0.1)),
    "clipvalue": optimizer(lambda o: o.SGD(0.1, clipvalue=0.01)),
}
SCHEDULES = {
    "exponential": lambda s: s.ExponentialDecay(0.05, 10, 0.8),
    "exponential_staircase": lambda s: s.ExponentialDecay(0.05, 10, 0.8, staircase=True),
    "inverse_time": lambda s: s.InverseTimeDecay(0.05, 10, 0.5),
    "piecewise": lambda s: s.PiecewiseConstantDecay([10, 30], [0.05, 0.02, 0.01]),
    "polynomial": lambda s: s.PolynomialDecay(0.05, 40, 0.001, power=2.0),
    "polynomial_cycle": lambda s: s.PolynomialDecay(0.05, 20, 0.001, cycle=True),
    "cosine": lambda s: s.CosineDecay(0.05, 40, alpha=0.1),
    "cosine_warmup": lambda s: s.CosineDecay(0.0, 40, warmup_target=0.05, warmup_steps=10),
    "cosine_restarts": lambda s: s.CosineDecayRestarts(0.05, 10, m_mul=0.8),
}
for name, schedule in SCHEDULES.items():
    OPTIMIZERS[f"schedule_{name}"] = optimizer(
        lambda o, schedule=schedule: o.SGD(schedule(o.schedules), momentum=0.9)
    )
OPTIMIZERS["schedule_nesterov"] = optimizer(
    lambda o: o.SGD(o.schedules.ExponentialDecay(0.05, 10, 0.9), momentum=0.9, nesterov=True)
)
OPTIMIZERS["schedule_adam"] = optimizer(
    lambda o: o.Adam(o.schedules.ExponentialDecay(0.02, 10, 0.9))
)


def loss(make, **options):
    return Case(lambda k: {"optimizer": k.optimizers.Adam(0.01), "loss": make(k.losses)}, **options)


LOSSES = {
    "circle": loss(lambda losses: losses.Circle(gamma=4.0), units=(4,)),
    "circle_itself": loss(
        lambda losses: losses.Circle(gamma=2.0, remove_diagonal=False, reduction="sum"), units=(4,)
    ),
    "mse": loss(lambda k: "mse", target="number"),
    "mse_flat_target": loss(lambda k: "mse", target="flat", units=(1,)),
    "mae": loss(lambda k: "mae", target="number"),
    "mape": loss(lambda k: "mape", target="positive"),
    "msle": loss(lambda k: "msle", target="positive", activation="softplus"),
    "huber": loss(lambda k: k.Huber(0.3), target="number"),
    "log_cosh": loss(lambda k: k.LogCosh(), target="number"),
    "cosine": loss(lambda k: k.CosineSimilarity(), target="number"),
    "hinge": loss(lambda k: "hinge", target="binary"),
    "squared_hinge": loss(lambda k: "squared_hinge", target="binary"),
    "categorical_hinge": loss(lambda k: "categorical_hinge", target="one_hot"),
    "kl": loss(lambda k: k.KLDivergence(), target="one_hot", activation="softmax"),
    "poisson": loss(lambda k: "poisson", target="positive", activation="softplus"),
    "binary": loss(lambda k: "binary_crossentropy", target="binary", activation="sigmoid"),
    "binary_flat": loss(
        lambda k: k.binary_crossentropy, target="binary_flat", units=(1,), activation="sigmoid"
    ),
    "binary_logits": loss(lambda k: k.BinaryCrossentropy(from_logits=True), target="binary"),
    "binary_smoothed": loss(
        lambda k: k.BinaryCrossentropy(label_smoothing=0.2), target="binary", activation="sigmoid"
    ),
    "binary_on_softmax": loss(
        lambda k: "binary_crossentropy", target="one_hot", activation="softmax"
    ),
    "binary_focal": loss(
        lambda k: k.BinaryFocalCrossentropy(apply_class_balancing=True),
        target="binary",
        activation="sigmoid",
    ),
    "categorical": loss(
        lambda k: "categorical_crossentropy", target="one_hot", activation="softmax"
    ),
    "categorical_smoothed": loss(
        lambda k: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), target="one_hot"
    ),
    "categorical_on_sigmoid": loss(
        lambda k: "categorical_crossentropy", target="one_hot", activation="sigmoid"
    ),
    "categorical_focal": loss(
        lambda k: k.CategoricalFocalCrossentropy(), target="one_hot", activation="softmax"
    ),
    "sparse_column": loss(
        lambda k: "sparse_categorical_crossentropy", target="index_column", activation="softmax"
    ),
    "sparse_on_sigmoid": loss(lambda k: "sparse_categorical_crossentropy", activation="sigmoid"),
    "sparse_ignore": loss(
        lambda k: k.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    ),
    "generalized": loss(lambda k: k.CategoricalGeneralizedCrossEntropy(0.7), activation="softmax"),
    "dice": loss(lambda k: k.Dice(), target="binary", activation="sigmoid"),
    "tversky": loss(lambda k: k.Tversky(0.3, 0.7), target="binary", activation="sigmoid"),
    "sum": loss(
        lambda k: k.MeanSquaredError(reduction="sum"), target="number", fit=lambda k: {"epochs": 9}
    ),
}


def metric(*names, make=None, loss="categorical_crossentropy", **options):
    def compile_arguments(k):
        wanted = [*names, *(make(k.metrics) if make else [])]
        return {"optimizer": k.optimizers.Adam(0.01), "loss": loss, "metrics": wanted}

    return Case(compile_arguments, lambda k: {"epochs": 12, "batch_size": 24}, **options)


METRICS = {
    "accuracy_one_hot": metric("accuracy", "mse", target="one_hot", activation="softmax"),
    "acc_binary": metric(
        "acc", loss="binary_crossentropy", target="binary_flat", units=(1,), activation="sigmoid"
    ),
    "binary_accuracy": metric(
        make=lambda m: [m.BinaryAccuracy(threshold=0.4)],
        loss="binary_crossentropy",
        target="binary",
        activation="sigmoid",
    ),
    "top_k": metric(
        make=lambda m: [m.TopKCategoricalAccuracy(2)], target="one_hot", activation="softmax"
    ),
    "sparse_top_k": metric(
        make=lambda m: [m.SparseTopKCategoricalAccuracy(2), m.SparseCategoricalAccuracy("right")],
        loss="sparse_categorical_crossentropy",
        activation="softmax",
    ),
    "regression": metric(
        "mae",
        "mse",
        make=lambda m: [m.RootMeanSquaredError(), m.CosineSimilarity(), m.LogCoshError()],
        loss="mse",
        target="number",
    ),
    "confusion": metric(
        make=lambda m: [
            m.Precision(),
            m.Recall(name="recall_"),
            m.TruePositives(),
            m.FalseNegatives(),
            m.AUC(),
            m.AUC(curve="PR", name="pr", num_thresholds=50),
        ],
        loss="binary_crossentropy",
        target="binary",
        units=(1,),
        activation="sigmoid",
    ),
    "f_scores": metric(
        make=lambda m: [
            m.F1Score(average="macro"),
            m.F1Score(average="micro", name="micro"),
            m.FBetaScore(average="weighted", beta=2.0, threshold=0.4),
        ],
        target="one_hot",
        activation="softmax",
    ),
    "a_number_each": metric(
        make=lambda m: [
            m.F1Score(threshold=0.3),
            m.Precision(thresholds=[0.2, 0.4], name="precisions"),
            m.Recall(thresholds=[0.2, 0.4], name="recalls"),
        ],
        target="one_hot",
        activation="softmax",
    ),
    "of_one_class": metric(
        make=lambda m: [
            m.Precision(class_id=1),
            m.Recall(class_id=2, name="recall_2"),
            m.Precision(top_k=2, name="precision_of_2"),
            m.Recall(top_k=2, thresholds=0.4, name="recall_of_2"),
            m.RecallAtPrecision(0.5, class_id=1),
        ],
        target="one_hot",
        activation="softmax",
    ),
    "areas": metric(
        make=lambda m: [
            m.AUC(multi_label=True, num_thresholds=30),
            m.AUC(multi_label=True, label_weights=[1.0, 0.5, 2.0], curve="PR", name="pr"),
            m.AUC(label_weights=[1.0, 0.5, 2.0], name="by_label"),
            m.AUC(thresholds=[0.1, 0.35, 0.4], name="at"),
            m.AUC(7, curve="PR", summation_method="minoring", name="minoring"),
            m.AUC(curve="PRGAIN", summation_method="majoring", name="gain"),
        ],
        loss="binary_crossentropy",
        target="binary",
        activation="sigmoid",
    ),
    "iou": metric(
        make=lambda m: [
            m.OneHotMeanIoU(3),
            m.OneHotIoU(3, [0, 2]),
            m.OneHotMeanIoU(3, "two", ignore_class=1),
        ],
        target="one_hot",
        activation="softmax",
    ),
    "iou_sparse": metric(
        make=lambda m: [m.MeanIoU(3, sparse_y_pred=False)],
        loss="sparse_categorical_crossentropy",
        activation="softmax",
    ),
    "iou_binary": metric(
        make=lambda m: [m.BinaryIoU(target_class_ids=[1], threshold=0.4)],
        loss="binary_crossentropy",
        target="binary",
        activation="sigmoid",
    ),
    "correlation": metric(
        make=lambda m: [
            m.PearsonCorrelation(),
            m.ConcordanceCorrelation(),
            m.R2Score(),
            m.R2Score("variance_weighted_average", name="weighted_r2"),
        ],
        loss="mse",
        target="number",
        units=(5,),
    ),
    "at_threshold": metric(
        make=lambda m: [
            m.PrecisionAtRecall(0.6),
            m.RecallAtPrecision(0.7),
            m.SensitivityAtSpecificity(0.5),
            m.SpecificityAtSensitivity(0.5, num_thresholds=50),
        ],
        loss="binary_crossentropy",
        target="binary",
        units=(1,),
        activation="sigmoid",
    ),
    "losses_as_metrics": metric(
        "binary_crossentropy",
        make=lambda m: [m.CategoricalCrossentropy(), m.KLDivergence(), m.Poisson()],
        target="one_hot",
        activation="softmax",
    ),
}
rng = np.random.default_rng(5)
X_VAL, Y_VAL = rng.normal(size=(21, 6)).astype("float32"), rng.integers(0, 3, 21)


def fitted(make, **options):
    return Case(
        lambda k: {"optimizer": k.optimizers.SGD(0.05, momentum=0.9), **SPARSE},
        lambda k: {"epochs": 12, "batch_size": 10, **make(k)},
        activation="softmax",
        **options,
    )


WEIGHTS = np.random.default_rng(2).uniform(0, 2, (64, 1)).astype("float32")


def weighted(make, loss="mse", **options):
    """Weighted metrics; the weights are a column, but for a metric that Keras fails to give one."""
    weights = WEIGHTS[:, 0] if loss == "mse" else WEIGHTS
    return Case(
        lambda k: {
            "optimizer": k.optimizers.Adam(0.01),
            "loss": loss(k.losses) if callable(loss) else loss,
            "weighted_metrics": make(k.metrics),
        },
        lambda k: {"epochs": 12, "batch_size": 24, "sample_weight": weights},
        **options,
    )


WEIGHTED = {
    "decisions": weighted(
        lambda m: [m.Precision(), m.Recall(), m.FalsePositives(), m.AUC(num_thresholds=40)],
        loss="binary_crossentropy",
        target="binary",
        activation="sigmoid",
    ),
    "one_number": weighted(
        lambda m: [m.BinaryAccuracy(), m.AUC(), m.BinaryIoU(dtype="float32"), m.Recall()],
        loss="binary_crossentropy",
        target="binary",
        units=(1,),
        activation="sigmoid",
    ),
    "classes": weighted(
        lambda m: [
            m.F1Score(),
            m.CategoricalAccuracy(),
            m.Recall(class_id=1),
            m.AUC(multi_label=True, num_thresholds=30),
            m.SensitivityAtSpecificity(0.6, num_thresholds=20),
            m.OneHotMeanIoU(3, dtype="float32"),
        ],
        target="one_hot",
        activation="softmax",
    ),
    "numbers": weighted(
        lambda m: [
            m.R2Score(class_aggregation=None),
            m.RootMeanSquaredError(),
            m.MeanAbsoluteError(),
        ],
        target="number",
    ),
    "ignored": weighted(
        lambda m: [
            m.SparseCategoricalAccuracy(),
            m.SparseCategoricalCrossentropy(ignore_class=2),
        ],
        loss=lambda losses: losses.SparseCategoricalCrossentropy(ignore_class=1),
        activation="softmax",
        target="index_column",
    ),
}

FITS = {
    "short_last_batch": fitted(lambda k: {}),
    "validation_split": fitted(lambda k: {"validation_split": 0.3}),
    "validation_data": fitted(lambda k: {"validation_data": (X_VAL, Y_VAL)}),
    "validation_freq": fitted(lambda k: {"validation_data": (X_VAL, Y_VAL), "validation_freq": 3}),
    "class_weight": fitted(lambda k: {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}),
    "sample_weight": fitted(
        lambda k: {"sample_weight": np.random.default_rng(2).uniform(0, 2, 64).astype("float32")}
    ),
    "reduce_on_plateau": fitted(
        lambda k: {
            "validation_data": (X_VAL, Y_VAL),
            "callbacks": [
                k.callbacks.ReduceLROnPlateau(
                    patience=1, factor=0.5, min_delta=0.01, cooldown=2, min_lr=1e-3
                )
            ],
        }
    ),
    "early_stopping": fitted(
        lambda k: {
            "epochs": 30,
            "validation_data": (X_VAL, Y_VAL),
            "callbacks": [k.callbacks.EarlyStopping(patience=3)],
        }
    ),
    "rate_scheduler": fitted(
        lambda k: {
            "callbacks": [
                k.callbacks.LearningRateScheduler(
                    lambda epoch, lr: lr * 0.9 if epoch > 2 else 0.05
                ),
            ]
        }
    ),
    "two_outputs": Case(
        lambda k: {
            "optimizer": k.optimizers.Adam(0.01),
            "loss": {"head0": "mse", "head1": k.losses.Huber()},
            "loss_weights": {"head0": 1.0, "head1": 0.3},
            "metrics": {"head0": ["mae"], "head1": ["mse"]},
        },
        lambda k: {"epochs": 12, "batch_size": 20},
        units=(2, 1),
        target="number",
    ),
}
ENDS_WITH_ITS_AVERAGE = Case(
    lambda k: {"optimizer": k.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.9), "loss": "mse"},
    lambda k: {"epochs": 7, "batch_size": 16},
    target="number",
)
CASES = {**OPTIMIZERS, **LOSSES, **METRICS, **WEIGHTED, **FITS}


@pytest.mark.parametrize("name", CASES)
def test_learns_as_keras(name, tmp_path):
    case = CASES[name]
    expected, expected_weights = case.in_keras()
    history, weights = case.in_torch(tmp_path)
    assert set(history) == set(expected)
    for curve, values in expected.items():
        np.testing.assert_allclose(history[curve], values, rtol=1e-4, atol=2e-5, err_msg=curve)
    for weight, wanted in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-3, atol=1e-4)


def test_an_averaging_optimizer_ends_with_its_average(tmp_path):
    """Keras puts the moving average into the model when fit() ends: predict() uses it."""
    case = ENDS_WITH_ITS_AVERAGE
    _, expected = case.in_keras()
    case.write(tmp_path)
    run_script(tmp_path, "--predict")
    hidden = np.tanh(case.x @ expected[0] + expected[1])
    predictions = np.load(tmp_path / "runs/net/predictions.npy")
    np.testing.assert_allclose(
        predictions, hidden @ expected[2] + expected[3], rtol=1e-4, atol=1e-5
    )


def own_loss(y_true, y_pred):
    from training_oracle import ops

    error = ops().abs(y_true - y_pred)
    return ops().mean(ops().minimum(ops().square(error), error), axis=-1) + 0.1


def own_metric(y_true, y_pred):
    from training_oracle import ops

    return ops().max(ops().abs(y_true - y_pred))


def own_metric_per_sample(y_true, y_pred):
    from training_oracle import ops

    return ops().sum(y_true * y_pred, axis=-1)


def scaled(factor, k):
    """A loss made by a function, of Keras's own."""

    def loss(y_true, y_pred):
        return factor * k.losses.mean_absolute_error(y_true, y_pred)

    return loss


def subclass(k):
    class Focused(k.losses.Loss):
        def __init__(self, power, name="focused"):
            super().__init__(name=name)
            self.power = power

        def call(self, y_true, y_pred):
            from training_oracle import ops

            return ops().mean(ops().abs(y_true - y_pred) ** self.power, axis=-1)

    return Focused(3.0)


OWN = {
    "function": (lambda k: own_loss, {"target": "number"}),
    "closure": (lambda k: scaled(0.3, k), {"target": "number"}),
    "subclass": (subclass, {"target": "number", "units": (1,)}),
}


@pytest.mark.parametrize("name", OWN)
def test_losses_and_metrics_of_the_programs_own(name, tmp_path):
    make, options = OWN[name]
    case = Case(
        lambda k: {
            "optimizer": k.optimizers.Adam(0.01),
            "loss": make(k),
            "metrics": [own_metric, own_metric_per_sample],
        },
        lambda k: {"epochs": 12, "batch_size": 24},
        **options,
    )
    expected, _ = case.in_keras()
    history, _ = case.in_torch(tmp_path)
    assert set(history) == set(expected)
    for curve, values in expected.items():
        np.testing.assert_allclose(history[curve], values, rtol=1e-4, atol=2e-5, err_msg=curve)
