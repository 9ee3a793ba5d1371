"""Neuron, Layer and MLP. A neuron's net input w·x + b is one node of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import autograd as ag
from autograd import ArgumentError, InputError, Value, affine
from autograd.arguments import flag, whole
from autograd.text import shown
from autograd.value import label

from .init import Initializer, as_rng, initializer
from .module import Module
from .text import choose, sequence

Activation = Callable[[Any], Any]

MOST_WEIGHTS = 10**7  # of one network; each is a Value of about 200 bytes

ACTIVATIONS: dict[str, Activation | None] = {
    "none": None,
    "linear": None,
    # Calling the method saves a function call.
    **{name: getattr(Value, name, None) or getattr(ag, name) for name, op in ag.TABLE.items() if op.activation},
}


def _activation(given: str | Activation | None) -> Activation | None:
    """An activation by name, or the function given; None is the identity."""
    return given if given is None or callable(given) else choose("activation", given, ACTIVATIONS)


def _called(given: str | Activation | None) -> str:
    return given if isinstance(given, str) else "none" if given is None else getattr(given, "__name__", repr(given))


def _start(given: str | Activation | None) -> Initializer:
    """He's initialiser for rectifiers, Glorot's for the others."""
    op = ag.TABLE.get(_called(given))
    return initializer("kaiming_uniform" if op is not None and op.rectifier else "xavier_uniform")


class Neuron(Module):
    """activation(w·x + b).

    Args:
        nin: the number of inputs.
        activation: a name (``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"none"`` …) or a function of one Value.
        weights: nin numbers or leaf Values to start from; drawn by ``init`` if not given.
        bias: a number or a leaf Value, which may be shared; False for no bias.
        train_bias: whether the bias is a parameter.
        init: an initialiser by name, or a function ``(rng, nin, nout) -> float``.
        rng: a seed or a random generator.
        name: the name of the neuron, as in the tutorials (``"h1"``): its nodes are then ``net_h1`` and ``out_h1``.

    >>> n = Neuron(2, activation="none", weights=[0.5, -1.0], bias=2.0)
    >>> float(n([4.0, 1.0]))
    3.0
    """

    def __init__(
        self,
        nin: int,
        activation: str | Activation | None = "relu",
        *,
        weights: Sequence[Any] | None = None,
        bias: Any = 0.0,
        train_bias: bool = True,
        init: str | Initializer | None = None,
        rng: Any = 0,
        name: str | None = None,
        nout: int = 1,
    ) -> None:
        nin = whole("nin", nin, least=0)
        _check_count(nin)
        rng = as_rng(rng)
        self.nin, self.activation, self.name = nin, activation, name
        self.activation_function = _activation(activation)
        if weights is None:
            draw = _start(activation) if init is None else initializer(init)
            weights = [draw(rng, nin, nout) for _ in range(nin)]
        elif not isinstance(weights, Iterable) or len(weights := list(weights)) != nin:
            raise ArgumentError(f"a neuron with {nin} inputs needs {nin} weights, not {_count(weights)}")
        if name is not None and not isinstance(name, str):
            raise InputError(f"the name of a neuron is text, not {shown(name)}")
        self.weights = [w if isinstance(w, Value) else Value(w) for w in weights]
        self.bias = Value(0.0) if bias is False else bias if isinstance(bias, Value) else Value(bias)
        if not flag("train_bias", train_bias) or bias is False:
            self.fixed = frozenset({"bias"})
        self.scope: tuple[str, ...] = () if name is None else (name,)

    def forward(self, xs: Iterable[Any]) -> Any:
        """The neuron's output for nin inputs, numbers or Values."""
        xs = _inputs(xs, self.nin, "a neuron")
        return self.finish(affine([self.weights], xs, [self.bias])[0])

    def finish(self, net: Value) -> Any:
        """The output from the net input."""
        label(net, None if self.name is None else f"net_{self.name}", self.scope)
        if self.activation_function is None:
            return net
        out = self.activation_function(net)
        if not isinstance(out, Value):
            raise InputError(f"the activation {_called(self.activation)} returned {shown(out)}; it must return a Value")
        label(out, out.name if self.name is None else f"out_{self.name}", self.scope)
        return out

    def __repr__(self) -> str:
        return f"Neuron({self.nin}, activation={_called(self.activation)!r})"


class Layer(Module):
    """nout neurons with the same inputs; calling it always returns a list.

    Args:
        nin, nout: the numbers of inputs and neurons.
        activation: as for ``Neuron``, but none if it is not given.
        init, rng, train_bias: as for ``Neuron``.
        weights: nout rows of nin weights.
        biases: nout biases, or one that all neurons share; False for none.
        names: the neurons' names.
        name: the layer's name, its box in drawings.
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: str | Activation | None = None,
        *,
        weights: Sequence[Sequence[Any]] | None = None,
        biases: Any = 0.0,
        share_bias: bool = False,
        train_bias: bool = True,
        init: str | Initializer | None = None,
        rng: Any = 0,
        names: Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        nin, nout = whole("nin", nin, least=0), whole("nout", nout, least=1)
        _check_count(nout * (nin + 1))
        rng = as_rng(rng)
        if weights is not None and len(weights := sequence("the weights of a layer", weights)) != nout:
            raise ArgumentError(f"a layer of {nout} neurons needs {nout} rows of weights, not {len(weights)}")
        if names is not None and len(names := sequence("the names of a layer's neurons", names)) != nout:
            raise ArgumentError(f"a layer of {nout} neurons needs {nout} names, not {len(names)}")
        if name is not None and not isinstance(name, str):
            raise InputError(f"the name of a layer is text, not {shown(name)}")
        if flag("share_bias", share_bias) and biases is not False:
            biases = [biases if isinstance(biases, Value) else Value(0.0 if biases is False else biases)] * nout
        elif not isinstance(biases, list | tuple):
            biases = [biases] * nout
        if len(biases) != nout:
            raise ArgumentError(f"a layer of {nout} neurons needs {nout} biases, not {len(biases)}")
        self.neurons = [
            Neuron(
                nin,
                activation,
                weights=None if weights is None else weights[k],
                bias=biases[k],
                train_bias=train_bias,
                init=init,
                rng=rng,
                name=None if names is None else names[k],
                nout=nout,
            )
            for k in range(nout)
        ]
        self.nin, self.nout, self.activation = nin, nout, activation
        if name is not None:
            for neuron in self.neurons:
                neuron.scope = (name, *neuron.scope)
        self.activation_function, self._named = self.neurons[0].activation_function, bool(names or name)

    def forward(self, xs: Iterable[Any]) -> list[Any]:
        """The neurons' outputs for nin inputs."""
        weights, biases = [neuron.weights for neuron in self.neurons], [neuron.bias for neuron in self.neurons]
        nets = affine(weights, _inputs(xs, self.nin, "a layer"), biases)
        if self._named or self.activation_function is None:
            return [neuron.finish(net) for neuron, net in zip(self.neurons, nets, strict=True)]
        outs = list(map(self.activation_function, nets))
        if not isinstance(outs[0], Value):
            raise InputError(
                f"the activation {_called(self.activation)} returned {shown(outs[0])}; it must return a Value"
            )
        return outs

    def __repr__(self) -> str:
        return f"Layer({self.nin}, {self.nout}, activation={_called(self.activation)!r})"


class Linear(Layer):
    """A layer without activation: w·x + b for each of nout neurons.

    Args:
        nin, nout: the numbers of inputs and outputs.
        bias: whether b is added.
        init, rng, names, name: as for ``Layer``.

    >>> len(Linear(3, 2, rng=0)([1.0, 2.0, 3.0]))
    2
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        bias: bool = True,
        *,
        init: str | Initializer | None = None,
        rng: Any = 0,
        names: Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        biases = 0.0 if flag("bias", bias) else False
        super().__init__(nin, nout, None, biases=biases, init=init, rng=rng, names=names, name=name)

    def __repr__(self) -> str:
        return f"Linear({self.nin}, {self.nout}{'' if 'bias' not in self.neurons[0].fixed else ', bias=False'})"


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, the last one linear by default.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer.
        activation: of all layers but the last.
        output_activation: of the last layer.
        weights: for each layer its rows of weights.
        biases: for each layer its biases, as for ``Layer``.
        share_bias: whether the neurons of a layer share one bias.
        train_bias: whether biases are parameters.
        init: an initialiser by name or a function; by default He's for relu-like activations, else Glorot's.
        rng: a seed or a random generator.
        names: True names everything as the tutorials do: ``w1, w2, …``, ``b1, b2``, ``net_h1``, ``out_o1``.

    >>> net = MLP(2, [3, 1], rng=1)
    >>> len(net.parameters()), len(net([0.5, -1.0]))
    (13, 1)
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Activation | None = "relu",
        *,
        output_activation: str | Activation | None = "none",
        weights: Sequence[Sequence[Sequence[Any]]] | None = None,
        biases: Sequence[Any] | None = None,
        share_bias: bool = False,
        train_bias: bool = True,
        init: str | Initializer | None = None,
        rng: Any = 0,
        names: bool = False,
    ) -> None:
        if not isinstance(nouts, Iterable) or not (nouts := [whole("a number in nouts", n) for n in nouts]):
            raise ArgumentError(
                f"nouts lists the number of neurons of each layer, for example [16, 1]; not {shown(nouts)}"
            )
        names = flag("names", names)
        _activation(activation)  # a network of one layer does not use it
        rng = as_rng(rng)
        depth = len(nouts)
        weights = None if weights is None else sequence("the weights of a network", weights)
        biases = None if biases is None else sequence("the biases of a network", biases)
        for what, given in (("weights", weights), ("biases", biases)):
            if given is not None and len(given) != depth:
                raise ArgumentError(f"a network of {depth} layers needs {what} for {depth} layers, not {len(given)}")
        sizes = [whole("nin", nin, least=0), *nouts]
        _check_count(sum((a + 1) * b for a, b in pairwise(sizes)))
        self.layers = [
            Layer(
                sizes[k],
                sizes[k + 1],
                output_activation if k == depth - 1 else activation,
                weights=None if weights is None else weights[k],
                biases=0.0 if biases is None else biases[k],
                share_bias=share_bias,
                train_bias=train_bias,
                init=init,
                rng=rng,
                names=[f"{_letter(k, depth)}{j + 1}" for j in range(nouts[k])] if names else None,
                name=_place(k, depth) if names else None,
            )
            for k in range(depth)
        ]
        if names:
            self._name_parameters(share_bias)

    def _name_parameters(self, share_bias: bool) -> None:
        number = 0
        for k, layer in enumerate(self.layers, 1):
            for neuron in layer.neurons:
                for weight in neuron.weights:
                    number += 1
                    weight.name = f"w{number}"
                neuron.bias.name = f"b{k}" if share_bias else f"b_{neuron.name}"

    def forward(self, xs: Iterable[Any]) -> list[Any]:
        """The outputs for nin inputs."""
        for layer in self.layers:
            xs = layer(xs)
        return list(xs)

    def __repr__(self) -> str:
        sizes = [layer.nout for layer in self.layers]
        return f"MLP({self.layers[0].nin}, {sizes}, activation={_called(self.layers[0].activation)!r})"


def _letter(k: int, depth: int) -> str:
    return "o" if k == depth - 1 else "h" if depth == 2 else f"h{k + 1}_"


def _place(k: int, depth: int) -> str:
    return "output layer" if k == depth - 1 else "hidden layer" if depth == 2 else f"hidden layer {k + 1}"


def _count(things: Any) -> Any:
    return len(things) if isinstance(things, list) else shown(things)


def _check_count(weights: int) -> None:
    if weights > MOST_WEIGHTS:
        many = f"{weights:,}" if weights < 10**30 else "more than 10³⁰"
        raise ArgumentError(f"{many} weights; a network of scalars may have {MOST_WEIGHTS:,}")


def _inputs(xs: Iterable[Any], nin: int, who: str) -> tuple[Any, ...]:
    try:
        xs = tuple(xs)
    except TypeError:
        raise InputError(f"{who} takes a list of {nin} numbers or Values, not {type(xs).__name__}") from None
    if len(xs) != nin:
        raise ArgumentError(f"{who} with {nin} inputs was given {len(xs)}")
    return xs
