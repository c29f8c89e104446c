"""Three texts into one: what two sides changed is in the result, or between conflict marks; nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras2torch.vendoring.merge import has_conflicts, merge
from keras2torch.vendoring.renames import carry_renames, unset_attributes

LABELS = ("edited by hand", "generated")
BASE = """class Net(nn.Module):
    def __init__(self):
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        return self.fc(self.conv2(x))
"""

# What each side replaces, and what the result holds.
CLEAN = {
    "different lines": ([("64, 10", "64, 20")], [("3, 32, 3", "3, 32, 5")]),
    "neighbouring lines": ([("3, 32, 3", "3, 32, 5")], [("32, 64, 3", "32, 64, 7")]),
    "different words of one line": (
        [("64, 3)", "64, 3, bias=False)")],
        [("nn.Conv2d(32", "nn.Conv3d(32")],
    ),
    "the same on both sides": ([("32, 64", "32, 99")], [("32, 64", "32, 99")]),
    "a line behind an edited line": (
        [("3, 32, 3", "3, 32, 5")],
        [("        self.conv2 =", "        self.bn1 = nn.BatchNorm2d(32)\n        self.conv2 =")],
    ),
    "a method added at the end": (
        [
            (
                "self.conv2(x))\n",
                "self.conv2(x))\n\n    def features(self, x):\n        return self.conv1(x)\n",
            )
        ],
        [("F.relu(self.conv1(x))", "F.gelu(self.conv1(x))")],
    ),
}


def changed(text, replacements):
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", CLEAN)
def test_both_changes_are_there(name):
    mine, theirs = CLEAN[name]
    merged = merge(BASE, changed(BASE, mine), changed(BASE, theirs), labels=LABELS)
    assert merged.conflicts == 0
    both = mine if mine == theirs else [*mine, *theirs]
    assert all(new.strip() in merged.text for _, new in both)


@pytest.mark.parametrize(
    "mine, theirs",
    [("3, 48, 3", "3, 64, 3"), ("3, 32, 3, 2", "3, 64, 3"), ("", "3, 64, 3")],
)
def test_a_conflict_is_marked_as_git_does(mine, theirs):
    ours, other = BASE.replace("3, 32, 3", mine), BASE.replace("3, 32, 3", theirs)
    if not mine:
        ours = BASE.replace("        self.conv1 = nn.Conv2d(3, 32, 3)\n", "")
    merged = merge(BASE, ours, other, labels=LABELS)
    lines = merged.text.splitlines()
    if (
        mine == "3, 32, 3, 2"
    ):  # an argument added behind what the other side changed: both are clear
        assert merged.conflicts == 0 and "nn.Conv2d(3, 64, 3, 2)" in merged.text
        return
    assert merged.conflicts == 1 and has_conflicts(merged.text)
    marks = [
        lines.index(mark) for mark in ("<<<<<<< edited by hand", "=======", ">>>>>>> generated")
    ]
    assert marks == sorted(marks)
    assert lines[marks[1] + 1] == f"        self.conv1 = nn.Conv2d({theirs})"
    assert lines[marks[0] + 1 : marks[1]] == (
        [f"        self.conv1 = nn.Conv2d({mine})"] if mine else []
    )


LINES = st.lists(st.sampled_from(["a = 1\n", "b = 2\n", "c = 3\n", "d(x, y)\n", "\n"]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
def test_one_side_alone_is_taken_whole(base, other):
    base, other = "".join(base), "".join(other)
    assert merge(base, other, base, labels=LABELS).text == other
    assert merge(base, base, other, labels=LABELS).text == other
    assert merge(base, other, other, labels=LABELS).text == other


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(), min_size=6, max_size=12, unique=True), st.data())
def test_no_line_is_lost(numbers, data):
    """Every line that a side added is in the result; a line that nobody touched stays, in order."""
    base = [f"line {n}\n" for n in numbers]
    sides, touched = [], set()
    for side in ("mine", "theirs"):
        lines = list(base)
        for place in data.draw(st.sets(st.integers(0, len(base) - 1), max_size=3)):
            touched.add(place)
            lines[place] = data.draw(
                st.sampled_from(["", f"{side} {place}\n", base[place] + f"{side} {place}\n"])
            )
        sides.append("".join(lines))
    text = merge("".join(base), *sides, labels=LABELS).text
    for side, name in zip(sides, ("mine", "theirs")):
        assert all(line in text for line in side.splitlines() if line.startswith(name))
    untouched = [line for place, line in enumerate(base) if place not in touched]
    places = [text.index(line) for line in untouched]
    assert places == sorted(places)


def test_a_renamed_attribute_is_renamed_in_new_lines():
    mine = BASE.replace("conv1", "stem")
    theirs = BASE.replace("        x = F", "        y = self.conv1(x)\n        x = F")
    base, renamed = carry_renames(BASE, mine, theirs)
    assert base == mine and "y = self.stem(x)" in renamed


def test_a_renamed_class_is_renamed_in_new_lines():
    mine = BASE.replace("Net", "Classifier")
    _, renamed = carry_renames(BASE, mine, BASE + "\n\nnet = Net()\n")
    assert "net = Classifier()" in renamed and "Net" not in renamed.replace("net", "")


@pytest.mark.parametrize(
    "mine",
    [
        BASE.replace("self.conv1 =", "self.stem ="),  # not everywhere
        BASE.replace("conv1", "conv2"),  # a name that was there
        BASE.replace("F.relu", "F.gelu"),  # no name of the file's own
    ],
)
def test_what_is_no_rename(mine):
    assert carry_renames(BASE, mine, BASE) == (BASE, BASE)


def test_a_name_that_nobody_sets_is_found():
    assert unset_attributes(BASE) == set()
    assert unset_attributes(BASE.replace("self.conv1 =", "self.stem =")) == {"Net.conv1"}
