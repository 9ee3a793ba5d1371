"""scikit-learn's own checks, and the estimators in its pipelines."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_moons, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autograd as ag
import nn

SMALL = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.02, "max_iter": 60}  # quick to fit
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # one test looks at it


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [nn.MLPClassifier(**SMALL), nn.MLPRegressor(**SMALL)],
    # A weight of 2 is not a row twice where batches are drawn at random, and features are standardised without weights.
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": "rows are shuffled into batches",
    },
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_at_work_in_pipelines_and_searches():
    x, y = make_moons(80, noise=0.1, random_state=0)
    pipeline = make_pipeline(StandardScaler(), nn.MLPClassifier(random_state=0, learning_rate_init=0.05))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.9
    quick = nn.MLPClassifier(random_state=0, learning_rate_init=0.05, max_iter=40)
    search = GridSearchCV(quick, {"hidden_layer_sizes": [(4,), (8, 4)]}, cv=2)
    assert search.fit(x, y).best_score_ > 0.7


def test_string_classes_early_stopping_and_probabilities():
    x, y = make_moons(100, noise=0.1, random_state=0)
    names = ["down" if t else "up" for t in y]
    model = nn.MLPClassifier(random_state=0, early_stopping=True, learning_rate_init=0.02, activation="tanh")
    model.fit(x, names)
    assert model.score(x, names) > 0.8
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(1.0)
    assert len(model.loss_curve_) == model.n_iter_
    twin = clone(model).fit(x, names)
    assert (twin.predict_proba(x) == model.predict_proba(x)).all()


def test_a_fitted_model_can_be_explained():
    x, y = make_regression(40, 2, random_state=0)
    regressor = nn.MLPRegressor(random_state=0, learning_rate_init=0.05, hidden_layer_sizes=(8,)).fit(x, y)
    assert regressor.score(x, y) > 0.8
    row = [ag.Value(v, name=f"x{k}") for k, v in enumerate(x[0])]
    (out,) = regressor.model_(row)
    assert "Chain rule" in str(ag.explain(out, "x0"))


def test_a_regressor_of_several_numbers_predicts_each_in_its_own_unit():
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = np.c_[x[:, 0] + x[:, 1], 1000.0 - 50.0 * x[:, 0]]
    regressor = nn.MLPRegressor(random_state=0, learning_rate_init=0.05, hidden_layer_sizes=(8,)).fit(x, y)
    assert regressor.predict(x).shape == (60, 2)
    for k in (0, 1):
        assert np.std(regressor.predict(x)[:, k] - y[:, k]) < 0.2 * np.std(y[:, k])
    assert regressor.score(x, y) > 0.95


def test_breast_cancer_with_adams_default_settings():
    x, y = load_breast_cancer(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.3, random_state=101)
    assert (
        nn.MLPClassifier((16,), batch_size=32, max_iter=40, random_state=0).fit(train_x, train_y).score(test_x, test_y)
        >= 0.96
    )


def test_a_constant_feature_and_a_failed_refit_do_no_harm():
    x, y = make_moons(40, noise=0.1, random_state=0)
    x = np.c_[x, np.full(40, 0.1)]
    model = nn.MLPClassifier(random_state=0, max_iter=20).fit(x, y)
    before = model.predict_proba(x)
    with pytest.raises(ValueError, match="1 class"):
        model.fit(x, np.zeros(40))
    with pytest.raises(ValueError, match="larger"):
        model.set_params(batch_size=1000).fit(x, y)
    assert (model.predict_proba(x) == before).all()
    x[:, 2] = 0.1000001
    assert model.predict_proba(x) == pytest.approx(before, abs=1e-3)
    nn.MLPClassifier(early_stopping=True, max_iter=3, random_state=0).fit(x[:30], y[:30])


def test_settings_that_make_no_sense_are_refused():
    x, y = make_moons(20, random_state=0)
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        nn.MLPClassifier(solver="addam").fit(x, y)
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        nn.MLPClassifier(activation="rellu").fit(x, y)
    with pytest.raises(ValueError, match="larger than"):
        nn.MLPClassifier(batch_size=100).fit(x, y)


@pytest.mark.parametrize("estimator", [nn.MLPClassifier, nn.MLPRegressor])
def test_verbose_shows_a_bar_and_nothing_else_does(estimator, capfd):
    x, y = make_moons(20, random_state=0)
    settings = {"random_state": 0, "max_iter": 7, "hidden_layer_sizes": (3,)}
    quiet = estimator(**settings).fit(x, y)
    assert capfd.readouterr() == ("", "")
    loud = estimator(**settings, verbose=True).fit(x, y)
    said = capfd.readouterr()
    assert said.out == ""
    assert "training" in said.err
    assert "/7 " in said.err
    assert loud.loss_curve_ == quiet.loss_curve_


def test_the_seed_decides_and_other_seeds_differ():
    x, y = make_moons(20, random_state=0)
    found = [nn.MLPClassifier(random_state=seed, max_iter=2).fit(x, y).loss_curve_ for seed in (0, 0, 1, 2)]
    assert found[0] == found[1]
    assert len({tuple(curve) for curve in found}) == 3


def test_the_defaults_are_scikit_learns():
    from sklearn import neural_network

    for kind in ("MLPClassifier", "MLPRegressor"):
        theirs = getattr(neural_network, kind)().get_params()
        ours = getattr(nn, kind)().get_params()
        assert ours == {name: theirs[name] for name in ours}


def forward(coefs, intercepts, x):
    """The outputs of a network of relu layers, the last one linear, as scikit-learn's attributes describe it."""
    for w, b in zip(coefs[:-1], intercepts[:-1], strict=True):
        x = np.maximum(x @ w + b, 0.0)
    return x @ coefs[-1] + intercepts[-1]


def test_weights_and_biases_are_those_of_the_plain_features():
    x, y = make_moons(60, noise=0.1, random_state=0)
    x = 100.0 * x + 7.0
    model = nn.MLPClassifier((5, 4), random_state=0, max_iter=30).fit(x, y)
    logits = forward(model.coefs_, model.intercepts_, x)
    assert [w.shape for w in model.coefs_] == [(2, 5), (5, 4), (4, 2)]
    assert np.exp(logits[:, 1] - np.logaddexp(*logits.T)) == pytest.approx(model.predict_proba(x)[:, 1], rel=1e-9)
    regressor = nn.MLPRegressor((5,), random_state=0, max_iter=30).fit(x, 1000.0 * x[:, 0])
    assert forward(regressor.coefs_, regressor.intercepts_, x).ravel() == pytest.approx(regressor.predict(x), rel=1e-9)
    assert not hasattr(nn.MLPClassifier(), "coefs_")


def test_training_goes_on_with_warm_start():
    x, y = make_moons(60, noise=0.1, random_state=0)
    settings = {"random_state": 0, "max_iter": 10, "learning_rate_init": 0.02}
    model = nn.MLPClassifier(**settings, warm_start=True).fit(x, y)
    first = model.loss_curve_
    assert model.fit(x, y).loss_curve_[0] < first[-1]
    assert nn.MLPClassifier(**settings).fit(x, y).loss_curve_ == first
    with pytest.raises(ValueError, match="goes on with the classes"):
        model.fit(x, y + 1)
    regressor = nn.MLPRegressor(**settings, warm_start=True).fit(x, y)
    first = regressor.loss_curve_
    assert regressor.fit(x, y).loss_curve_[0] < first[-1]
    with pytest.raises(ValueError, match="1 numbers a row, but y has 2"):
        regressor.fit(x, np.c_[y, y])


def test_partial_fit_is_an_epoch():
    x, y = make_moons(60, noise=0.1, random_state=0)
    whole = nn.MLPClassifier(random_state=0, max_iter=12, n_iter_no_change=100).fit(x, y)
    parts = nn.MLPClassifier(random_state=0)
    for _ in range(12):
        parts.partial_fit(x, y, classes=[0, 1])
    assert parts.loss_curve_ == pytest.approx(whole.loss_curve_, rel=1e-12)
    assert parts.predict_proba(x) == pytest.approx(whole.predict_proba(x), rel=1e-9)
    for call, said in (
        (lambda: nn.MLPClassifier().partial_fit(x, y), "classes must be given"),
        (lambda: parts.partial_fit(x, y + 1), "class 2"),
        (lambda: parts.partial_fit(x, y, classes=[0, 1, 2]), "first call"),
        (lambda: parts.partial_fit(x[:, :1], y), "features"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
    regressor = nn.MLPRegressor(random_state=0, learning_rate_init=0.05)
    for _ in range(100):
        regressor.partial_fit(x, x[:, 0])
    assert regressor.score(x, x[:, 0]) > 0.95


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_it_is_said_when_training_ends_too_early():
    x, y = make_moons(60, noise=0.1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=5"):
        nn.MLPClassifier(random_state=0, max_iter=5).fit(x, y)
    settled = nn.MLPClassifier((4,), random_state=0, max_iter=5000, learning_rate_init=0.05, tol=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settled.fit(x, y)
    assert settled.n_iter_ < 5000
    best = np.minimum.accumulate(settled.loss_curve_)
    progress = best[:-1] - np.array(settled.loss_curve_[1:])  # of each epoch over the best before it
    assert (progress[-11:] <= 1e-2).all()
    assert progress[-12] > 1e-2


@pytest.mark.parametrize("kind", [nn.MLPClassifier, nn.MLPRegressor])
def test_rows_of_large_weight_count_more(kind):
    x, y = make_moons(60, noise=0.3, random_state=0)
    weights = np.where(y == 1, 50.0, 1.0)
    plain = kind(random_state=0, max_iter=40).fit(x, y)
    weighted = kind(random_state=0, max_iter=40).fit(x, y, sample_weight=weights)
    assert weighted.predict(x).mean() > plain.predict(x).mean() + 0.05
    parts = kind(random_state=0)
    parts.partial_fit(x, y, **({"classes": [0, 1]} if kind is nn.MLPClassifier else {}), sample_weight=weights)
    assert parts.loss_curve_[0] == weighted.loss_curve_[0]
