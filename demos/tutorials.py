"""Every figure of a tutorial that the demos compare with: the line that prints it, its meaning, and its text.

Tutorials 000 to 004 are texts about backpropagation; the number before each figure is the line of the text. The output
of a tutorial's code is not in its text, and not here.
"""

from __future__ import annotations

from typing import NamedTuple


class Printed(NamedTuple):
    """A figure as a tutorial prints it."""

    tutorial: str
    line: int
    quantity: str
    text: str


_TABLE = {
    "000": [
        (50, "in_h1", "0.3775"),
        (52, "out_h1", "0.593269992"),
        (54, "out_h2", "0.596884378"),
        (57, "in_o1", "1.105905967"),
        (59, "out_o1, misprinted", "0.75136079"),
        (61, "out_o2", "0.772928465"),
        (68, "out_o1", "0.75136507"),
        (68, "E_o1", "0.274811083"),
        (70, "E_o2", "0.023560026"),
        (72, "E", "0.298371109"),
        (81, "∂E/∂out_o1", "0.741"),
        (82, "∂out_o1/∂in_o1", "0.186"),
        (84, "∂E/∂out_o1", "0.74136507"),
        (84, "∂out_o1/∂in_o1", "0.186815602"),
        (84, "∂E/∂w5", "0.0821670"),
        (86, "∂E/∂w5", "0.082167041"),
        (86, "w5 after one step", "0.3589164795"),
        (89, "w6 after one step", "0.408666186"),
        (90, "w7 after one step", "0.511301270"),
        (91, "w8 after one step", "0.561370121"),
        (104, "∂E_o1/∂in_o1", "0.138498562"),
        (104, "∂E_o1/∂out_h1", "0.055399425"),
        (104, "∂E_o2/∂out_h1", "-0.019049119"),
        (104, "∂E/∂out_h1", "0.036350306"),
        (105, "∂out_h1/∂in_h1", "0.24130070"),
        (107, "∂out_h1/∂in_h1", "0.241300709"),
        (107, "∂E/∂w1", "0.00043856"),
        (109, "∂E/∂w1", "0.000438568"),
        (109, "w1 after one step", "0.14978071"),
        (111, "w2 after one step", "0.19956143"),
        (112, "w3 after one step", "0.24975114"),
        (113, "w4 after one step", "0.29950229"),
        (115, "E after one step", "0.291027924"),
        (116, "E after 10 000 steps", "0.000035085"),
        (116, "o1 after 10 000 steps", "0.015912196"),
        (116, "o2 after 10 000 steps", "0.984065734"),
    ],
    "002": [
        (20, "z_1", "60"),
        (22, "y'", "180"),
        (28, "loss", "7200"),
        (38, "∂L/∂y'", "120"),
        (44, "∂L/∂w''_11", "7200"),
        (52, "∂L/∂w'_11", "4800"),
        (58, "∂L/∂w'_21", "9600"),
        (67, "w''_11 after one step", "0.928"),
        (73, "w'_11 after one step", "0.452"),
        (76, "w'_21 after one step", "0.404"),
    ],
    "003": [
        (25, "∂e/∂b", "5"),
        (84, "net_h1", "0.3775"),
        (86, "out_h1", "0.5932"),
        (88, "out_h2", "0.5968"),
        (92, "net_o1", "1.1059"),
        (93, "out_o1", "0.7513"),
        (95, "out_o2", "0.7729"),
        (102, "E_o1", "0.2748"),
        (103, "E_o2", "0.0236"),
        (105, "E", "0.2984"),
        (119, "∂E/∂out_o1", "0.7413"),
        (132, "∂out_o1/∂net_o1", "0.1868"),
        (136, "∂net_o1/∂w5", "0.5933"),
        (139, "∂E/∂w5", "0.0822"),
    ],
    "004": [
        (265, "the sums of the columns", "5"),
        (265, "the sums of the columns", "7"),
        (265, "the sums of the columns", "9"),
    ],
}

FIGURES = [Printed(tutorial, *row) for tutorial, rows in _TABLE.items() for row in rows]


def printed(tutorial: str, text: str) -> Printed:
    """The figure with that text in a tutorial.

    Raises:
        LookupError: if the tutorial does not print it.
    """
    for found in FIGURES:
        if (found.tutorial, found.text) == (tutorial, text):
            return found
    raise LookupError(f"tutorial {tutorial} prints no {text}")
