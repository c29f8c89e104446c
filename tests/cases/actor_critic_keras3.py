"""Actor-critic: a common trunk with two heads, played in an environment written in the file.

k2t: level=2
k2t: train=no
"""
import numpy as np
import keras
from keras import layers
from keras import ops

num_inputs = 4
num_actions = 2
num_hidden = 64
gamma = 0.99
eps = np.finfo(np.float32).eps.item()


class Pole:
    """A pole that falls after a while."""

    def reset(self, seed=0):
        self.random, self.steps = np.random.default_rng(seed), 0
        return self.random.normal(size=num_inputs)

    def step(self, action):
        self.steps += 1
        return self.random.normal(size=num_inputs), 1.0, self.steps > 5


inputs = layers.Input(shape=(num_inputs,))
common = layers.Dense(num_hidden, activation="relu")(inputs)
action = layers.Dense(num_actions, activation="softmax")(common)
critic = layers.Dense(1)(common)

model = keras.Model(inputs=inputs, outputs=[action, critic])

optimizer = keras.optimizers.Adam(learning_rate=0.01)
huber_loss = keras.losses.Huber()
env = Pole()
for episode in range(2):
    state, rewards, done = env.reset(seed=episode), [], False
    while not done:
        action_probs, critic_value = model.predict(ops.expand_dims(state, 0))
        probabilities = np.squeeze(action_probs) + eps
        choice = np.random.choice(num_actions, p=probabilities / probabilities.sum())
        state, reward, done = env.step(choice)
        rewards.append(reward)
    returns, discounted_sum = [], 0
    for r in rewards[::-1]:
        discounted_sum = r + gamma * discounted_sum
        returns.insert(0, discounted_sum)
    print("episode reward:", sum(rewards), "first return:", returns[0])
