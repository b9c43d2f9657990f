"""The parts of the screen. They draw what they are given and say what the person did; they decide nothing."""
