"""Keras 3 twin of matrix_factorization_keras2.py."""

from keras import Model
from keras.layers import Activation, Add, Dot, Embedding, Flatten, Input

user_input = Input((1,), name="User")
user_vec = Flatten(name="FlattenUsers")(Embedding(600, 20, name="User-Embedding")(user_input))
user_bias = Flatten(name="FlattenUserBias")(Embedding(600, 1, name="User-Bias")(user_input))
movie_input = Input((1,), name="Item")
movie_vec = Flatten(name="FlattenMovies")(Embedding(900, 20, name="Movie-Embedding")(movie_input))
movie_bias = Flatten(name="FlattenMovieBias")(Embedding(900, 1, name="Movie-Bias")(movie_input))
prod = Dot(axes=1, name="DotProduct")([movie_vec, user_vec])
score = Add(name="Score")([prod, user_bias, movie_bias])
model = Model([user_input, movie_input], Activation("relu")(score))
