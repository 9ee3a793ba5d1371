"""scikit-learn estimators on top of ``nn``: the extra ``sklearn``."""

from __future__ import annotations

from functools import partial
from typing import Any

from autograd import MissingExtraError

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("scikit-learn", "sklearn", "an estimator") from None

from .layers import MLP
from .losses import l2
from .optim import by_name
from .prediction import predict
from .training import History, fit

__all__ = ["MLPClassifier", "MLPRegressor"]


def _spread(columns: Any) -> Any:
    """The standard deviation of each column, 1 for a column that is constant up to rounding."""
    std = columns.std(axis=0)
    noise = 10.0 * np.finfo(np.float64).eps * np.abs(columns).max(axis=0)
    return np.where(std > noise, std, 1.0)


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """The base class of both estimators: their settings, and training on standardised features."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (16,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        learning_rate_init: float = 0.02,
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        max_iter: int = 60,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def _train(self, X: Any, targets: Any, nout: int, loss: str) -> None:  # noqa: N803  (scikit-learn's names)
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        mean, scale = X.mean(axis=0), _spread(X)
        hidden = np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()
        model = MLP(X.shape[1], [*hidden, nout], self.activation, rng=seed)
        weights = [w for layer in model.layers for neuron in layer.neurons for w in neuron.weights]
        split = self.validation_fraction if self.early_stopping else 0.0
        history: History = fit(
            model,
            (X - mean) / scale,
            targets,
            loss=loss,
            optimizer=by_name(self.solver)(model.parameters(), lr=self.learning_rate_init),
            epochs=self.max_iter,
            batch_size=None if self.batch_size == "auto" else self.batch_size,  # type: ignore[arg-type]
            rng=seed,
            validation_split=split,
            early_stopping=self.n_iter_no_change if self.early_stopping else None,
            penalty=partial(l2, weights, self.alpha / len(X)) if self.alpha else None,
            progress=bool(self.verbose),
        )
        # Assigned last, so that a failed fit leaves the estimator unchanged.
        self.model_, self._mean, self._scale, self.history_ = model, mean, scale, history
        self.loss_curve_, self.n_iter_ = history.loss, len(history.loss)
        self.loss_ = history.loss[-1] if history.loss else float("nan")

    def _outputs(self, X: Any) -> Any:  # noqa: N803
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806
        return np.array(predict(self.model_, (X - self._mean) / self._scale))


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A multi-layer perceptron for classification, trained on softmax cross-entropy, as scikit-learn's class.

    Features are standardised inside. ``model_`` is the ``nn.MLP``, so a prediction can be drawn and explained.

    Args:
        hidden_layer_sizes: neurons of each hidden layer.
        activation: of the hidden layers.
        solver: an optimiser's name.
        learning_rate_init: its learning rate.
        alpha: strength of the L2 penalty on the weights, divided by the number of rows.
        batch_size: rows for each step; ``"auto"`` is at most 32.
        max_iter: epochs.
        early_stopping: hold out ``validation_fraction`` and stop after ``n_iter_no_change`` epochs without progress.
        random_state: seed or generator.
        verbose: show a progress bar on the standard error, also if that is not a terminal.
    """

    def fit(self, X: Any, y: Any) -> MLPClassifier:  # noqa: N803
        """Train on n rows and their classes."""
        X, y = validate_data(self, X, y, dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        classes, indices = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"This classifier needs at least 2 classes; got 1 class: {classes[0]}")
        self._train(X, indices, len(classes), "softmax_cross_entropy")
        self.classes_ = classes
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

    def fit(self, X: Any, y: Any) -> MLPRegressor:  # noqa: N803
        """Train on n rows and their numbers, one or several each."""
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)  # noqa: N806
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        flat = y.ndim == 1
        columns = y.reshape(len(y), -1).astype(np.float64)
        mean, scale = columns.mean(axis=0), _spread(columns)
        self._train(X, (columns - mean) / scale, columns.shape[1], "mse")
        self._flat, self._y_mean, self._y_scale = flat, mean, scale
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The number, or numbers, for each row."""
        outputs = self._outputs(X) * self._y_scale + self._y_mean
        return outputs.ravel() if self._flat else outputs
