"""scikit-learn estimators on top of ``nn``: the extra ``sklearn``."""

from __future__ import annotations

import warnings
from functools import partial
from random import Random
from typing import Any, NamedTuple

from autograd import MissingExtraError

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("scikit-learn", "sklearn", "an estimator") from None

from .layers import MLP
from .losses import l2
from .optim import Optimizer, by_name
from .prediction import predict
from .training import History, fit

__all__ = ["MLPClassifier", "MLPRegressor"]

_CROSS_ENTROPY = "softmax_cross_entropy"


def _spread(columns: Any) -> Any:
    """The standard deviation of each column, 1 for a column that is constant up to rounding."""
    std = columns.std(axis=0)
    noise = 10.0 * np.finfo(np.float64).eps * np.abs(columns).max(axis=0)
    return np.where(std > noise, std, 1.0)


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """The base class of both estimators: their settings, and training on standardised features."""

    loss_curve_: list[float]
    _training: _Training

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _start(self, X: Any, nout: int, goes_on: bool) -> _Training:  # noqa: N803  (scikit-learn's names)
        """What is trained: new, or what the last training left."""
        if goes_on and hasattr(self, "_training"):
            return self._training
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        hidden = np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()
        model = MLP(X.shape[1], [*hidden, nout], self.activation, rng=seed)
        optimizer = by_name(self.solver)(model.parameters(), lr=self.learning_rate_init)
        return _Training(model, optimizer, Random(seed), X.mean(axis=0), _spread(X))

    def _train(
        self,
        X: Any,  # noqa: N803
        targets: Any,
        sample_weight: Any,
        loss: str,
        training: _Training,
        epochs: int | None,
    ) -> None:
        """Train for that many epochs, or for None as the settings say."""
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        weights = [w for layer in training.model.layers for neuron in layer.neurons for w in neuron.weights]
        whole = epochs is None
        share = self.validation_fraction if self.early_stopping and whole else 0.0
        size = min(200, len(X) - round(share * len(X))) if self.batch_size == "auto" else self.batch_size
        history: History = fit(
            training.model,
            (X - training.mean) / training.scale,
            targets,
            loss=loss,
            optimizer=training.optimizer,
            epochs=self.max_iter if epochs is None else epochs,
            batch_size=size,  # type: ignore[arg-type]
            rng=training.rng,
            sample_weight=sample_weight,
            validation_split=share,
            early_stopping=self.n_iter_no_change + 1 if whole else None,
            tol=self.tol,
            penalty=partial(l2, weights, self.alpha / len(X)) if self.alpha else None,
            progress=bool(self.verbose),
        )
        before = [] if whole or not hasattr(self, "loss_curve_") else self.loss_curve_
        # Assigned last, so that a failed fit leaves the estimator unchanged.
        self._training, self.model_, self.history_ = training, training.model, history
        self.loss_curve_ = [*before, *history.loss]
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else float("nan")
        self.n_layers_, self.n_outputs_ = len(self.model_.layers) + 1, self.model_.layers[-1].nout
        if whole and history.stopped == "epochs":
            warnings.warn(
                f"the loss was still changing by more than tol={self.tol} after max_iter={self.max_iter} epochs: "
                "give a larger max_iter or learning_rate_init",
                ConvergenceWarning,
                stacklevel=3,
            )

    @property
    def coefs_(self) -> list[Any]:
        """The weights of each layer, a row for each of its inputs, for features that are not standardised."""
        return [weights for weights, _ in self._layers()]

    @property
    def intercepts_(self) -> list[Any]:
        """The biases of each layer, for features that are not standardised."""
        return [biases for _, biases in self._layers()]

    def _layers(self) -> list[tuple[Any, Any]]:
        if not hasattr(self, "_training"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        found = [
            (
                np.array([[w.data for w in n.weights] for n in layer.neurons]).T,
                np.array([n.bias.data for n in layer.neurons]),
            )
            for layer in self.model_.layers
        ]
        (weights, biases), training = found[0], self._training
        weights = weights / training.scale[:, None]
        found[0] = weights, biases - training.mean @ weights
        return found

    def _outputs(self, X: Any) -> Any:  # noqa: N803
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806
        return np.array(predict(self.model_, (X - self._training.mean) / self._training.scale))


class _Training(NamedTuple):
    """What further training goes on with.

    Attributes:
        model, optimizer, rng: the network, what trains it, and what shuffles its rows.
        mean, scale: by which features are standardised: those of the first data.
    """

    model: MLP
    optimizer: Optimizer
    rng: Random
    mean: Any
    scale: Any


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A multi-layer perceptron for classification, trained on softmax cross-entropy, as scikit-learn's class.

    Features are standardised inside. ``model_`` is the ``nn.MLP``, so a prediction can be drawn and explained.

    Args:
        hidden_layer_sizes: neurons of each hidden layer.
        activation: of the hidden layers.
        solver: an optimiser's name.
        alpha: strength of the L2 penalty on the weights, divided by the number of rows.
        batch_size: rows for each step; ``"auto"`` is at most 200.
        learning_rate_init: the optimiser's learning rate.
        max_iter: the largest number of epochs.
        tol: training ends when the loss did not decrease by that much for more than ``n_iter_no_change`` epochs.
        early_stopping: hold out ``validation_fraction``, and watch the loss of those rows instead.
        warm_start: ``fit`` goes on with the weights of the last one.
        random_state: seed or generator.
        verbose: show a progress bar on the standard error, also if that is not a terminal.
    """

    classes_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:  # noqa: N803
        """Train on n rows and their classes; ``sample_weight`` has a weight for each row."""
        X, y = validate_data(self, X, y, dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(f"This classifier needs at least 2 classes; got 1 class: {classes[0]}")
        goes_on = self.warm_start and hasattr(self, "classes_")
        if goes_on and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start goes on with the classes {self.classes_}, but y has {classes}")
        self._train(
            X, np.searchsorted(classes, y), sample_weight, _CROSS_ENTROPY, self._start(X, len(classes), goes_on), None
        )
        self.classes_ = classes
        return self

    def partial_fit(
        self,
        X: Any,  # noqa: N803
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
    ) -> MLPClassifier:
        """One epoch over n rows and their classes.

        Args:
            X, y: the rows and their classes; the first data also decide how features are standardised.
            classes: all classes there will be; needed at the first call.
            sample_weight: a weight for each row.
        """
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)  # noqa: N806
        check_classification_targets(y)
        if first and classes is None:
            raise ValueError("classes must be given at the first call of partial_fit")
        known = np.unique(classes) if first else self.classes_
        if classes is not None and not np.array_equal(np.unique(classes), known):
            raise ValueError(f"classes are those of the first call, {known}, not {classes}")
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise ValueError(f"y has the class {unknown[0]}, which is not one of {known}")
        self._train(
            X, np.searchsorted(known, y), sample_weight, _CROSS_ENTROPY, self._start(X, len(known), not first), 1
        )
        self.classes_ = known
        return self

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """The probability of each class, as n rows with a number for each class."""
        logits = self._outputs(X)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> Any:  # noqa: N803
        """The logarithms of the probabilities."""
        logits = self._outputs(X)
        top = logits.max(axis=1, keepdims=True)
        return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The most probable class of each row."""
        best = self._outputs(X).argmax(axis=1)
        return self.classes_[best]


class MLPRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A multi-layer perceptron that predicts numbers, trained on the mean squared error of standardised targets.

    The settings are those of ``MLPClassifier``.
    """

    _y_mean: Any
    _y_scale: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:  # noqa: N803
        """Train on n rows and their numbers, one or several each; ``sample_weight`` has a weight for each row."""
        return self._fitted(X, y, sample_weight, None, self.warm_start)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:  # noqa: N803
        """One epoch over n rows; the first data also decide how features and targets are standardised."""
        return self._fitted(X, y, sample_weight, 1, True)

    def _fitted(self, X: Any, y: Any, weights: Any, epochs: int | None, goes_on: bool) -> MLPRegressor:  # noqa: N803
        goes_on = goes_on and hasattr(self, "_training")
        X, y = validate_data(  # noqa: N806
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=not goes_on
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        flat = y.ndim == 1
        columns = y.reshape(len(y), -1).astype(np.float64)
        if goes_on and columns.shape[1] != self.n_outputs_:
            raise ValueError(f"training goes on with {self.n_outputs_} numbers a row, but y has {columns.shape[1]}")
        mean, scale = (self._y_mean, self._y_scale) if goes_on else (columns.mean(axis=0), _spread(columns))
        training = self._start(X, columns.shape[1], goes_on)
        self._train(X, (columns - mean) / scale, weights, "mse", training, epochs)
        self._flat, self._y_mean, self._y_scale = flat, mean, scale
        return self

    def _layers(self) -> list[tuple[Any, Any]]:
        """The weights and biases, for targets that are not standardised either."""
        found = super()._layers()
        weights, biases = found[-1]
        found[-1] = weights * self._y_scale, biases * self._y_scale + self._y_mean
        return found

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The number, or numbers, for each row."""
        outputs = self._outputs(X) * self._y_scale + self._y_mean
        return outputs.ravel() if self._flat else outputs
