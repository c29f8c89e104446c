"""1-D convolutional nets on phone accelerometer windows: three heads of different kernel sizes.

k2t: level=1
"""
# multi-headed cnn for the har dataset
from numpy import mean
from numpy import std
from numpy.random import rand, randint
from keras.models import Model
from keras.layers import Input
from keras.layers import Dense
from keras.layers import Flatten
from keras.layers import Dropout
from keras.layers import Conv1D
from keras.layers import MaxPooling1D
from keras.layers import concatenate
from keras.utils import to_categorical


def load_dataset(n_windows=96, n_timesteps=64, n_features=9):
    # stands in for the recorded windows
    X = rand(n_windows, n_timesteps, n_features)
    y = to_categorical(randint(0, 6, n_windows), 6)
    return X[:64], y[:64], X[64:], y[64:]


def head(shape, kernel_size):
    inputs = Input(shape=shape)
    conv = Conv1D(filters=16, kernel_size=kernel_size, activation='relu')(inputs)
    drop = Dropout(0.5)(conv)
    pool = MaxPooling1D(pool_size=2)(drop)
    flat = Flatten()(pool)
    return inputs, flat


def evaluate_model(trainX, trainy, testX, testy):
    verbose, epochs, batch_size = 0, 10, 32
    n_timesteps, n_features, n_outputs = trainX.shape[1], trainX.shape[2], trainy.shape[1]
    inputs1, flat1 = head((n_timesteps, n_features), 3)
    inputs2, flat2 = head((n_timesteps, n_features), 5)
    inputs3, flat3 = head((n_timesteps, n_features), 11)
    merged = concatenate([flat1, flat2, flat3])
    dense1 = Dense(32, activation='relu')(merged)
    outputs = Dense(n_outputs, activation='softmax')(dense1)
    model = Model(inputs=[inputs1, inputs2, inputs3], outputs=outputs)
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
    model.fit([trainX, trainX, trainX], trainy, epochs=epochs, batch_size=batch_size, verbose=verbose)
    _, accuracy = model.evaluate([testX, testX, testX], testy, batch_size=batch_size, verbose=0)
    return accuracy


def run_experiment(repeats=1):
    trainX, trainy, testX, testy = load_dataset()
    scores = list()
    for r in range(repeats):
        score = evaluate_model(trainX, trainy, testX, testy)
        score = score * 100.0
        print('>#%d: %.3f' % (r + 1, score))
        scores.append(score)
    m, s = mean(scores), std(scores)
    print('Accuracy: %.3f%% (+/-%.3f)' % (m, s))


run_experiment()
