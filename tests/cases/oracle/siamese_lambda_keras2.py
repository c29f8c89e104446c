"""Keras 3 twin of siamese_lambda_keras2.py."""

from keras import Model, ops
from keras.layers import Dense, Dropout, Flatten, Input, Lambda


def euclidean_distance(pair):
    x, y = pair
    return ops.sqrt(ops.maximum(ops.sum(ops.square(x - y), axis=1, keepdims=True), 1e-7))


image = Input((28, 28))
x = Flatten()(image)
x = Dense(64, activation="relu")(x)
x = Dropout(0.1)(x)
x = Dense(64, activation="relu")(x)
x = Dropout(0.1)(x)
x = Dense(32, activation="relu")(x)
base_network = Model(image, x)
input_a, input_b = Input((28, 28)), Input((28, 28))
distance = Lambda(euclidean_distance, output_shape=(1,))(
    [base_network(input_a), base_network(input_b)]
)
model = Model([input_a, input_b], distance)
