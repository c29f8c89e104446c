"""The private path `tensorflow.python.keras`, which many notebooks copied.

k2t: level=1
"""
import numpy as np
from tensorflow.python.keras.layers import Dense, Dropout, BatchNormalization, Activation
from tensorflow.python.keras.models import Sequential
from tensorflow.python.keras.callbacks import EarlyStopping, ModelCheckpoint
from tensorflow.python.keras import regularizers

n_features = 30

model = Sequential()
model.add(Dense(32, input_shape=(n_features,), kernel_regularizer=regularizers.l2(1e-3)))
model.add(BatchNormalization())
model.add(Activation('relu'))
model.add(Dropout(0.3))
model.add(Dense(16, use_bias=False))
model.add(BatchNormalization(center=False))
model.add(Activation('relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

X = np.random.randn(569, n_features)
y = np.random.randint(0, 2, 569)
es = EarlyStopping(monitor='val_loss', mode='min', patience=10)
mc = ModelCheckpoint('best.h5', monitor='val_loss', save_best_only=True)
model.fit(X, y, validation_split=0.3, epochs=100, batch_size=32, callbacks=[es, mc], verbose=0)
