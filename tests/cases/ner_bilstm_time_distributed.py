"""Named-entity tagging: Embedding, SpatialDropout1D, Bidirectional LSTM, TimeDistributed softmax.

k2t: level=2
k2t: integers=900
"""
import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, Input
from tensorflow.keras.layers import LSTM, Embedding, Dense
from tensorflow.keras.layers import TimeDistributed, SpatialDropout1D, Bidirectional

tags = ["O", "B-geo", "B-gpe", "B-per", "I-geo", "B-org", "I-org", "B-tim"]
tag2idx = {t: i for i, t in enumerate(tags)}
num_words, num_tags = 900, len(tags)
max_len = 25

X = np.random.randint(1, num_words, (80, max_len))
y = np.random.randint(0, num_tags, (80, max_len))

input_word = Input(shape=(max_len,))
model = Embedding(input_dim=num_words, output_dim=20, input_length=max_len)(input_word)
model = SpatialDropout1D(0.1)(model)
model = Bidirectional(LSTM(units=16, return_sequences=True, recurrent_dropout=0.1), merge_mode="sum")(model)
out = TimeDistributed(Dense(num_tags, activation="softmax"))(model)
model = Model(input_word, out)
model.summary()

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
chkpt = tf.keras.callbacks.ModelCheckpoint("model_weights.weights.h5", monitor="val_loss", verbose=1,
                                           save_best_only=True, save_weights_only=True, mode="min")
early_stopping = tf.keras.callbacks.EarlyStopping(monitor="val_accuracy", min_delta=0, patience=1, verbose=0,
                                                  mode="max", baseline=None, restore_best_weights=False)
history = model.fit(x=X, y=y, validation_split=0.1, batch_size=32, epochs=3,
                    callbacks=[chkpt, early_stopping], verbose=1)
