"""A program without a Keras model.

expect: no model
"""
import numpy as np
from sklearn.linear_model import LogisticRegression

x = np.random.rand(50, 3)
y = (x.sum(axis=1) > 1.5).astype(int)
classifier = LogisticRegression().fit(x, y)
print(classifier.score(x, y))
