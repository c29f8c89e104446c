"""Well-known downloads and environments that are not here: their form is known."""

from __future__ import annotations

import pytest
from script_helpers import IMPORTS, Programs, shapes


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (
            "path = keras.utils.get_file('shakespeare.txt', 'https://x/shakespeare.txt')\n"
            "text = open(path, 'rb').read().decode(encoding='utf-8')",
            65,
        ),
        ("import io\ntext = io.open('shakespeare.txt', encoding='utf-8').read().lower()", 39),
        ("with open('nietzsche.txt') as f:\n    text = f.read().lower()", 57),
        ("import io\ntext = io.open('nietzsche.txt').read().lower().replace('\\n', ' ')", 56),
    ],
)
def test_the_letters_of_a_text(programs: Programs, lines: str, size: int) -> None:
    model = programs.run(
        f"{IMPORTS}{lines}\nletters = sorted(list(set(text)))\n"
        "model = Sequential([Input((10, len(letters))), Dense(1)])\n"
    )
    assert shapes(model)[0] == [(None, 10, size)]
    assert "is not here" in " ".join(programs.notes)


def test_capitals_that_are_not_known(programs: Programs) -> None:
    message = programs.error(
        f"{IMPORTS}text = open('nietzsche.txt').read()\n"
        "model = Sequential([Input((len(set(text)),)), Dense(1)])\n"
    )
    assert "the shape of an Input comes from the file 'nietzsche.txt'" in message


@pytest.mark.parametrize(("folder", "count"), [("x/flower_photos", 5), ("rps", 3)])
def test_the_classes_of_a_folder(programs: Programs, folder: str, count: int) -> None:
    model = programs.run(
        f"{IMPORTS}data = keras.utils.image_dataset_from_directory({folder!r})\n"
        "model = Sequential([Input((4,)), Dense(len(data.class_names))])\n"
    )
    assert shapes(model)[1] == [(None, count)]


@pytest.mark.parametrize(
    ("name", "observed", "actions"), [("CartPole-v1", 4, 2), ("LunarLander-v2", 8, 4)]
)
def test_an_environment(programs: Programs, name: str, observed: int, actions: int) -> None:
    model = programs.run(
        f"{IMPORTS}import gym\nimport numpy as np\nenv = gym.make({name!r})\nstate = env.reset()\n"
        "n = env.observation_space.shape[0]\nstate = np.reshape(state, [1, n])\n"
        "action = env.action_space.sample()\nstate, reward, done, _ = env.step(action)\n"
        "model = Sequential([Input((n,)), Dense(env.action_space.n)])\n"
    )
    assert shapes(model) == ([(None, observed)], [(None, actions)])


def test_an_environment_that_is_not_known(programs: Programs) -> None:
    message = programs.error(
        f"{IMPORTS}import gym\nenv = gym.make('Mine-v0')\n"
        "model = Sequential([Input((3,)), Dense(env.action_space.n)])\n"
    )
    assert "gym.make('Mine-v0')" in message and "pip install gym" in message
