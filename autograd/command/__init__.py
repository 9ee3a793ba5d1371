"""The command line: ``autograd draw|steps|explain|grad|check "x*sin(y)" x=2 y=0.5``, also ``python -m autograd``.

``expression`` reads formulas, ``arguments`` what they are computed with, ``app`` holds the commands.
"""
