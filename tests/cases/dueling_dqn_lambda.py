"""Duelling Q network: value and advantage streams joined by a Lambda over K.mean, in a function.

k2t: level=2
k2t: model=build_q_network
k2t: train=no
k2t: oracle=dueling_dqn_lambda.py
"""
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.initializers import VarianceScaling
from tensorflow.keras.layers import Add, Conv2D, Dense, Flatten, Input, Lambda, Subtract
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam


def build_q_network(n_actions=4, learning_rate=0.00001, input_shape=(36, 36), history_length=4):
    """Builds a dueling DQN as a Keras model"""
    model_input = Input(shape=(input_shape[0], input_shape[1], history_length))
    x = Lambda(lambda layer: layer / 255)(model_input)  # normalize by 255

    x = Conv2D(8, (8, 8), strides=4, kernel_initializer=VarianceScaling(scale=2.), activation='relu',
               use_bias=False)(x)
    x = Conv2D(16, (4, 4), strides=2, kernel_initializer=VarianceScaling(scale=2.), activation='relu',
               use_bias=False)(x)
    x = Conv2D(32, (3, 3), strides=1, kernel_initializer=VarianceScaling(scale=2.), activation='relu',
               use_bias=False)(x)

    # Split into value and advantage streams
    val_stream, adv_stream = Lambda(lambda w: tf.split(w, 2, 3))(x)  # custom splitting layer

    val_stream = Flatten()(val_stream)
    val = Dense(1, kernel_initializer=VarianceScaling(scale=2.))(val_stream)

    adv_stream = Flatten()(adv_stream)
    adv = Dense(n_actions, kernel_initializer=VarianceScaling(scale=2.))(adv_stream)

    # Combine streams into Q-Values
    reduce_mean = Lambda(lambda w: K.mean(w, axis=1, keepdims=True))  # custom layer for reduce mean

    q_vals = Add()([val, Subtract()([adv, reduce_mean(adv)])])

    model = Model(model_input, q_vals)
    model.compile(Adam(learning_rate), loss=tf.keras.losses.Huber())
    return model
