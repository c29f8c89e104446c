"""Transfer from keras.applications: MobileNetV2 without its top, preprocess_input, a new head.

k2t: level=2
k2t: model=model
"""
import numpy as np
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.layers import AveragePooling2D, Dense, Dropout, Flatten, Input
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam

INIT_LR = 1e-4
EPOCHS = 2
BS = 8

# weights=None, as there is no network; the head is made as ever
baseModel = MobileNetV2(weights=None, include_top=False, alpha=0.35,
                        input_tensor=Input(shape=(64, 64, 3)))

headModel = baseModel.output
headModel = AveragePooling2D(pool_size=(2, 2))(headModel)
headModel = Flatten(name="flatten")(headModel)
headModel = Dense(32, activation="relu")(headModel)
headModel = Dropout(0.5)(headModel)
headModel = Dense(2, activation="softmax")(headModel)
model = Model(inputs=baseModel.input, outputs=headModel)

# loop over all layers in the base model and freeze them
for layer in baseModel.layers:
    layer.trainable = False

model.compile(loss="binary_crossentropy", optimizer=Adam(learning_rate=INIT_LR), metrics=["accuracy"])
data = preprocess_input(np.random.uniform(0, 255, (24, 64, 64, 3)))
labels = np.eye(2)[np.arange(24) % 2]
model.fit(data, labels, batch_size=BS, epochs=EPOCHS)
