"""scikit-learn's own checks, and the estimators in its pipelines."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_moons, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autograd as ag
import nn


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([nn.MLPClassifier(), nn.MLPRegressor()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_at_work_in_pipelines_and_searches():
    x, y = make_moons(80, noise=0.1, random_state=0)
    pipeline = make_pipeline(StandardScaler(), nn.MLPClassifier(random_state=0, max_iter=80))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.9
    search = GridSearchCV(nn.MLPClassifier(random_state=0, max_iter=10), {"hidden_layer_sizes": [(4,), (8, 4)]}, cv=2)
    assert search.fit(x, y).best_score_ > 0.7


def test_string_classes_early_stopping_and_probabilities():
    x, y = make_moons(100, noise=0.1, random_state=0)
    names = ["down" if t else "up" for t in y]
    model = nn.MLPClassifier(random_state=0, early_stopping=True, n_iter_no_change=5, activation="tanh").fit(x, names)
    assert model.score(x, names) > 0.8
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(1.0)
    assert len(model.loss_curve_) == model.n_iter_
    twin = clone(model).fit(x, names)
    assert (twin.predict_proba(x) == model.predict_proba(x)).all()


def test_a_fitted_model_can_be_explained():
    x, y = make_regression(40, 2, random_state=0)
    regressor = nn.MLPRegressor(random_state=0, max_iter=100, hidden_layer_sizes=(8,)).fit(x, y)
    assert regressor.score(x, y) > 0.8
    row = [ag.Value(v, name=f"x{k}") for k, v in enumerate(x[0])]
    (out,) = regressor.model_(row)
    assert "Chain rule" in str(ag.explain(out, "x0"))


def test_a_regressor_of_several_numbers_predicts_each_in_its_own_unit():
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = np.c_[x[:, 0] + x[:, 1], 1000.0 - 50.0 * x[:, 0]]
    regressor = nn.MLPRegressor(random_state=0, max_iter=100, hidden_layer_sizes=(8,)).fit(x, y)
    assert regressor.predict(x).shape == (60, 2)
    for k in (0, 1):
        assert np.std(regressor.predict(x)[:, k] - y[:, k]) < 0.2 * np.std(y[:, k])
    assert regressor.score(x, y) > 0.95


def test_breast_cancer_with_adams_default_settings():
    x, y = load_breast_cancer(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.3, random_state=101)
    assert (
        nn.MLPClassifier(random_state=0, learning_rate_init=1e-3, max_iter=40)
        .fit(train_x, train_y)
        .score(test_x, test_y)
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
