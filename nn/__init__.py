"""Neurons, layers, networks, losses and optimisers: thin, because the engine does the work.

>>> import nn
>>> from nn import optim
>>> model = nn.MLP(2, [4, 1], activation="tanh", rng=0)
>>> opt = optim.SGD(model.parameters(), lr=0.1)
>>> loss = nn.half_squared_error(model([1.0, -1.0]), [0.5])
>>> loss.backward()
>>> opt.step()
"""

from . import init, optim
from .layers import MLP, Layer, Neuron
from .losses import half_squared_error
from .module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron", "half_squared_error", "init", "optim"]
