"""Arrays from scikit-learn, scaled and split by it; the classes weighted."""

import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def prepare(seed=0):
    data = load_breast_cancer()
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.25, random_state=seed, stratify=data.target
    )
    scaler = StandardScaler()
    return scaler.fit_transform(x_train), scaler.transform(x_test), y_train, y_test


def main():
    x_train, x_test, y_train, y_test = prepare()
    inputs = keras.Input((30,))
    x = layers.Dense(16, activation="relu", kernel_regularizer="l2")(inputs)
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(learning_rate=0.005),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    model.fit(
        x_train,
        y_train,
        epochs=30,
        validation_split=0.2,
        class_weight={0: 1.7, 1: 1.0},
        callbacks=[stop],
    )
    model.evaluate(x_test, y_test)


if __name__ == "__main__":
    main()
