"""The model itself is in a file that is not here.

expect: absent_saved_model.py:8
expect: fine_tuned.h5
"""
from keras.models import load_model

model = load_model("checkpoints/fine_tuned.h5")
model.summary()
