"""WaveNet-like stack: causal dilated Conv1D, gated tanh times sigmoid, residual and skip sums.

k2t: level=1
"""
import numpy as np
from keras.layers import Activation, Add, Conv1D, Dense, Dropout, Flatten, Input, Multiply
from keras.models import Model

n_filters = 16
filter_width = 2
dilation_rates = [2**i for i in range(5)] * 2


def wavenet_block(x, dilation_rate):
    # preprocessing - equivalent to time-distributed dense
    x = Conv1D(n_filters, 1, padding='same', activation='relu')(x)

    # filter convolution and gate
    x_f = Conv1D(filters=n_filters, kernel_size=filter_width, padding='causal',
                 dilation_rate=dilation_rate)(x)
    x_g = Conv1D(filters=n_filters, kernel_size=filter_width, padding='causal',
                 dilation_rate=dilation_rate)(x)
    z = Multiply()([Activation('tanh')(x_f), Activation('sigmoid')(x_g)])

    # postprocessing
    z = Conv1D(n_filters, 1, padding='same', activation='relu')(z)
    return Add()([x, z]), z


history_seq = Input(shape=(None, 1))
x = history_seq
skips = []
for dilation_rate in dilation_rates:
    x, skip = wavenet_block(x, dilation_rate)
    skips.append(skip)

# add all skip connection outputs
out = Activation('relu')(Add()(skips))
out = Conv1D(32, 1, padding='same')(out)
out = Activation('relu')(out)
out = Dropout(.2)(out)
pred_seq = Conv1D(1, 1, padding='same')(out)

model = Model(history_seq, pred_seq)
model.summary()
model.compile('adam', loss='mean_absolute_error')

series = np.sin(np.arange(2000) / 20.0).astype('float32')
windows = np.stack([series[i:i + 65] for i in range(0, 1900, 10)])[..., None]
model.fit(windows[:, :-1], windows[:, 1:], batch_size=32, epochs=10, validation_split=0.2)
