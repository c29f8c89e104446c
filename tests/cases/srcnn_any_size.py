"""Image super-resolution without a fixed size: Input((None, None, 1)), strided "same" and back up.

k2t: level=1
"""
import numpy as np
from keras.layers import Add, Conv2D, Conv2DTranspose, Input, UpSampling2D, AveragePooling2D
from keras.models import Model
from keras.optimizers import Adam


def build_srcnn(scale=2, channels=1):
    low = Input(shape=(None, None, channels), name='low_resolution')
    bicubic_like = UpSampling2D(size=scale, interpolation='bilinear')(low)
    x = Conv2D(16, (9, 9), padding='same', activation='relu', name='patch_extraction')(bicubic_like)
    x = Conv2D(16, 5, strides=2, padding='same', activation='relu', name='shrink')(x)
    x = Conv2D(8, (1, 1), activation='relu', name='mapping')(x)
    x = Conv2DTranspose(8, 4, strides=2, padding='same', activation='relu', name='expand')(x)
    x = AveragePooling2D(3, strides=1, padding='same')(x)
    x = Conv2D(channels, (5, 5), padding='same', name='reconstruction')(x)
    high = Add(name='high_resolution')([bicubic_like, x])
    return Model(low, high, name='srcnn')


model = build_srcnn()
model.compile(optimizer=Adam(0.0003), loss='mean_squared_error', metrics=['mean_squared_error'])

high = np.random.rand(32, 32, 32, 1).astype('float32')
low = high[:, ::2, ::2]
model.fit(low, high, batch_size=8, epochs=3, shuffle=True)
