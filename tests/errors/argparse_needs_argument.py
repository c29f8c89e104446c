"""argparse asks for an argument that nobody can give: the message is argparse's.

expect: --data-dir
"""
import argparse
from keras import Sequential, layers

parser = argparse.ArgumentParser()
parser.add_argument("--data-dir", required=True)
parser.add_argument("--units", type=int, default=8)
args = parser.parse_args()

model = Sequential([layers.Input((4,)), layers.Dense(args.units)])
