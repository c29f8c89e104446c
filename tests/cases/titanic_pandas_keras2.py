"""Titanic survival from Kaggle CSV files through pandas, one-hot columns, a submission file.

k2t: level=1
k2t: needs=absent-data
k2t: oracle=titanic_pandas_keras2.py
"""
import pandas as pd
import numpy as np
import seaborn as sns
from sklearn.preprocessing import StandardScaler
from keras.models import Sequential
from keras.layers import Dense, Dropout
from keras.initializers import RandomUniform, VarianceScaling
from keras.optimizers import Adam

train_df = pd.read_csv('../input/train.csv')
test_df = pd.read_csv('../input/test.csv')
combine = [train_df, test_df]

for dataset in combine:
    dataset['Title'] = dataset.Name.str.extract(' ([A-Za-z]+)\\.', expand=False)
    dataset['FamilySize'] = dataset['SibSp'] + dataset['Parch'] + 1
    dataset['Age'] = dataset['Age'].fillna(dataset['Age'].median())
    dataset.loc[dataset['Age'] <= 16, 'Age'] = 0

FEATURES = ['Pclass', 'Sex', 'Age', 'Fare', 'Embarked', 'Title', 'FamilySize']
X_train = pd.get_dummies(train_df[FEATURES]).values
Y_train = train_df["Survived"].values
X_train = StandardScaler().fit_transform(X_train)

model = Sequential()
model.add(Dense(units=32, input_shape=(18,), kernel_initializer=RandomUniform(minval=-0.05, maxval=0.05),
                activation='relu'))
model.add(Dropout(rate=0.2))
model.add(Dense(units=64, kernel_initializer=VarianceScaling(scale=2.0), activation='relu'))
model.add(Dropout(rate=0.2))
model.add(Dense(units=1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.001, decay=1e-5), metrics=['accuracy'])

history = model.fit(X_train, Y_train, batch_size=32, epochs=50, validation_split=0.1, verbose=2)
sns.lineplot(x=history.epoch, y=history.history['loss'])

prediction = (model.predict(X_train) > 0.5).astype(int).ravel()
submission = pd.DataFrame({"PassengerId": test_df["PassengerId"], "Survived": prediction})
submission.to_csv('submission.csv', index=False)
