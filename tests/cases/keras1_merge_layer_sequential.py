'''Keras 1 two-branch Sequential: model.add(Merge([left, right], mode='concat')), fit on a list.

k2t: level=1
k2t: model=final_model
k2t: oracle=keras1_merge_layer_sequential.py
'''
import numpy as np
from keras.models import Sequential
from keras.layers import Merge, Dense, Activation, Dropout
from keras.regularizers import l2, activity_l2
from keras.constraints import maxnorm

left_branch = Sequential()
left_branch.add(Dense(32, input_dim=784, W_constraint=maxnorm(2)))
left_branch.add(Activation('tanh'))

right_branch = Sequential()
right_branch.add(Dense(32, input_dim=40, activation='relu', W_regularizer=l2(0.01),
                       activity_regularizer=activity_l2(0.01)))
right_branch.add(Dropout(0.2))

merged = Merge([left_branch, right_branch], mode='concat')

final_model = Sequential()
final_model.add(merged)
final_model.add(Dense(output_dim=10, init='glorot_normal', activation='softmax'))

final_model.compile(optimizer='rmsprop', loss='categorical_crossentropy')

input_data_1 = np.random.random((100, 784))
input_data_2 = np.random.random((100, 40))
targets = np.eye(10)[np.random.randint(0, 10, 100)]
final_model.fit([input_data_1, input_data_2], targets, nb_epoch=5, batch_size=32)
