"""One Embedding and one Dense shared by a question and four answers, made in a comprehension.

k2t: level=1
k2t: integers=500,500,500,500,500
"""
import numpy as np
from tensorflow.keras.layers import (Concatenate, Dense, Dot, Embedding, GlobalAveragePooling1D, Input,
                                     Softmax)
from tensorflow.keras.models import Model

VOCAB, WORDS, CHOICES = 500, 12, 4

question = Input((WORDS,), dtype='int64', name='question')
answers = [Input((WORDS,), dtype='int64', name=f'answer_{i}') for i in range(CHOICES)]

embed = Embedding(VOCAB, 24, name='words')
pool = GlobalAveragePooling1D(name='mean')
project = Dense(24, activation='tanh', name='project')

encoded_question = project(pool(embed(question)))
encoded_answers = [project(pool(embed(answer))) for answer in answers]

scores = Concatenate()([Dot(-1)([encoded_question, a]) for a in encoded_answers])
choice = Softmax(name='choice')(scores)

model = Model([question] + answers, choice)
model.compile('nadam', 'sparse_categorical_crossentropy', ['accuracy'])

n = 128
words = [np.random.randint(1, VOCAB, (n, WORDS)) for _ in range(1 + CHOICES)]
model.fit(words, np.random.randint(0, CHOICES, n), epochs=4)
