"""Movie recommender: user and movie embeddings, a dot product and biases; ratings.csv is not here.

k2t: level=1
k2t: needs=absent-data
k2t: oracle=matrix_factorization_keras2.py
k2t: integers=600,900
"""
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split
from keras.layers import Input, Embedding, Flatten, Dot, Add, Activation
from keras.models import Model
from keras.optimizers import Adam
from keras.regularizers import l2

N_USERS = 600
N_MOVIES = 900
EMBEDDING_SIZE = 20

ratings = pd.read_csv('ml-latest-small/ratings.csv', sep=',')
ratings['user'] = ratings.userId.astype('category').cat.codes.values
ratings['movie'] = ratings.movieId.astype('category').cat.codes.values
train, test = train_test_split(ratings, test_size=0.2)

user_input = Input(shape=[1], name='User')
user_vec = Flatten(name='FlattenUsers')(
    Embedding(N_USERS, EMBEDDING_SIZE, embeddings_regularizer=l2(1e-6), name='User-Embedding')(user_input))
user_bias = Flatten(name='FlattenUserBias')(Embedding(N_USERS, 1, name='User-Bias')(user_input))

movie_input = Input(shape=[1], name='Item')
movie_vec = Flatten(name='FlattenMovies')(
    Embedding(N_MOVIES, EMBEDDING_SIZE, embeddings_regularizer=l2(1e-6), name='Movie-Embedding')(movie_input))
movie_bias = Flatten(name='FlattenMovieBias')(Embedding(N_MOVIES, 1, name='Movie-Bias')(movie_input))

prod = Dot(axes=1, name='DotProduct')([movie_vec, user_vec])
score = Add(name='Score')([prod, user_bias, movie_bias])
rating = Activation('relu')(score)
model = Model([user_input, movie_input], rating)
model.compile(Adam(lr=0.005), 'mean_squared_error')

history = model.fit([train.user, train.movie], train.rating, epochs=10, verbose=0,
                    validation_data=([test.user, test.movie], test.rating))
pd.Series(history.history['loss']).plot(logy=True)
plt.xlabel("Epoch")
plt.ylabel("Training Error")
plt.show()

y_hat = np.round(model.predict([test.user, test.movie]), 0)
