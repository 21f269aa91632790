"""What is measured, against cases whose answer is known exactly."""

import itertools

import numpy as np
import pytest
import torch

from optim_lib import measure, tasks
from optim_lib.descent import descend, sweep
from optim_lib.landscapes import LANDSCAPES, ravine
from optim_lib.networks import MLP
from optim_lib.optimizers import (
    LARS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    MomentumSGD,
    NesterovMomentum,
    RMSprop,
    UncorrectedAdam,
)
from optim_lib.training import TorchModel


def small_objective(network=None, n=30, seed=0):
    network = network or MLP((4, 5, 3))
    rng = np.random.default_rng(seed)
    params = {name: p + 0.3 * rng.standard_normal(p.shape) for name, p in network.initialize(seed).items()}
    x = rng.standard_normal((n, network.sizes[0]))
    return network.on(x, rng.integers(network.sizes[-1], size=n)), params


def quadratic_with(eigenvalues, seed=0):
    """The gradient of a quadratic with this spectrum, in a rotated basis."""
    n = len(eigenvalues)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]
    matrix = rotation * np.asarray(eigenvalues, dtype=float) @ rotation.T
    return lambda p: matrix @ p


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: landscape.name)
def test_finite_differences_agree_with_the_exact_gradients(landscape):
    point = np.array(landscape.starts[0])
    numeric = measure.finite_difference_gradient(landscape.loss, point)
    np.testing.assert_allclose(numeric, landscape.gradient(point), rtol=1e-6, atol=1e-6)


def test_finite_differences_of_a_network_keep_names_and_shapes_and_leave_the_parameters_alone():
    objective, params = small_objective()
    before = {name: p.copy() for name, p in params.items()}
    numeric, exact = measure.finite_difference_gradient(objective.loss, params), objective.gradients(params)
    for name, gradient in exact.items():
        np.testing.assert_allclose(numeric[name], gradient, atol=1e-8)
        np.testing.assert_array_equal(params[name], before[name])


def test_differences_are_relative_to_the_larger_array_and_worded_the_same_everywhere():
    assert repr(measure.largest_difference([1.0], [1.0 + 3e-16])) == "largest difference: below 1e-12"
    assert repr(measure.largest_difference([1.0], [1.0 - 4e-13])) == "largest difference: below 1e-12"
    assert repr(measure.largest_difference({"w": [1e6]}, {"w": [1e6 + 2e-3]})) == "largest difference: about 2e-09"
    assert measure.largest_difference([0.0], [1e-3]).largest == pytest.approx(1e-3)
    assert measure.largest_difference([1.0, 2.0], torch.tensor([1.0, 2.5])).largest == pytest.approx(0.2)
    assert repr(measure.largest_difference([1.0], [np.nan])) == "largest difference: not finite"


def test_only_results_of_one_form_are_compared():
    with pytest.raises(ValueError, match=r"theirs must have the shape of ours, \(2,\), got \(1,\)"):
        measure.largest_difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="theirs must have the names of ours"):
        measure.largest_difference({"w": [1.0]}, {"b": [1.0]})


PAIRS = [
    (SGD(0.1), torch.optim.SGD, {"lr": 0.1}),
    (MomentumSGD(0.1, 0.9), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (NesterovMomentum(0.1, 0.9), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (AdaGrad(0.1), torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-8}),
    (RMSprop(0.01), torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9}),
    (Adam(0.1), torch.optim.Adam, {"lr": 0.1}),
    (AdamW(0.1), torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.01}),
]


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS, ids=lambda value: type(value).__name__)
def test_the_same_steps_in_torch(ours, theirs, options):
    agreement = measure.compare_with_torch(ours, theirs, **options)
    assert agreement.largest < 1e-12
    expected = f"{type(ours).__name__} and torch.optim.{theirs.__name__}, 100 steps: largest difference below 1e-12"
    assert repr(agreement) == expected


def test_other_steps_than_torch_are_seen():
    assert measure.compare_with_torch(UncorrectedAdam(0.1), torch.optim.Adam, lr=0.1).largest > 0.1
    assert measure.compare_with_torch(Adam(0.1, epsilon=1e-3), torch.optim.Adam, lr=0.1).largest > 1e-6
    assert measure.compare_with_torch(LARS(0.1), torch.optim.SGD, lr=0.1).largest > 1e-3


def test_a_used_optimizer_is_compared_from_its_start():
    optimizer = Adam(0.1)
    optimizer.update({"p0": np.ones((4, 3))}, {"p0": np.ones((4, 3))})
    assert measure.compare_with_torch(optimizer, torch.optim.Adam, lr=0.1).largest < 1e-12


# ---------------------------------------------------------------- curvature


@pytest.mark.parametrize(
    "spectrum",
    [
        [1.0, 25.0],
        [-30.0, 2.0, 5.0],
        np.linspace(0, 1, 40),
        [3.0],
        [0.0, 0.0],
        [-4.0, -2.0],
        np.geomspace(1e-3, 1e3, 60),
    ],
    ids=lambda spectrum: f"{np.min(spectrum):g} to {np.max(spectrum):g}",
)
def test_extreme_eigenvalues_of_quadratics(spectrum):
    gradient, point = quadratic_with(spectrum), np.full(len(spectrum), 0.7)
    lowest, highest = measure.extreme_eigenvalues(gradient, point)
    scale = np.abs(spectrum).max()
    assert lowest == pytest.approx(min(spectrum), abs=1e-5 * scale)
    assert highest == pytest.approx(max(spectrum), abs=1e-5 * scale)
    assert measure.sharpness(gradient, point) == pytest.approx(max(spectrum), abs=1e-5 * scale)


def test_a_repeated_largest_eigenvalue_is_found():
    assert measure.sharpness(quadratic_with([9.0, 9.0, 1.0, 0.5, 0.1]), np.zeros(5)) == pytest.approx(9, rel=1e-6)


def test_sharpness_says_where_gradient_descent_becomes_unstable():
    edge = 2 / measure.sharpness(ravine.gradient, np.array(ravine.starts[0]))
    assert descend(SGD(0.999 * edge), ravine, steps=2000).diverged_at is None
    assert descend(SGD(1.01 * edge), ravine, steps=2000).diverged_at is not None


@pytest.mark.parametrize("network", [MLP((4, 5, 3)), MLP((4, 6, 5, 3)), MLP((4, 5, 3), activation="relu")], ids=repr)
def test_the_hessian_of_a_network_agrees_with_autograd(network):
    objective, params = small_objective(network)
    shapes = {name: p.shape for name, p in params.items()}

    def loss(flat):
        parts = torch.split(flat, [int(np.prod(shape)) for shape in shapes.values()])
        p = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        a = torch.tensor(objective.x)
        for layer in range(1, network.layers + 1):
            a = a @ p[f"W{layer}"] + p[f"b{layer}"]
            if layer < network.layers:
                a = torch.tanh(a) if network.activation == "tanh" else torch.relu(a)
        return torch.nn.functional.cross_entropy(a, torch.tensor(objective.y))

    flat = torch.tensor(np.concatenate([p.ravel() for p in params.values()]))
    expected = torch.autograd.functional.hessian(loss, flat).numpy()
    np.testing.assert_allclose(measure.hessian(objective, params), expected, atol=1e-13)
    eigenvalues = np.linalg.eigvalsh(expected)
    assert measure.extreme_eigenvalues(objective, params) == pytest.approx((eigenvalues[0], eigenvalues[-1]), rel=1e-4)


def test_differences_of_gradients_give_the_same_hessian():
    objective, params = small_objective()
    exact = measure.hessian(objective, params)
    np.testing.assert_allclose(measure.hessian(objective.gradients, params), exact, atol=1e-8)
    assert measure.sharpness(objective.gradients, params) == pytest.approx(
        measure.sharpness(objective, params), rel=1e-5
    )


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("replacement", [False, True])
def test_the_predicted_variance_is_that_of_all_possible_batches(size, replacement):
    objective, params = small_objective(n=6)
    noise = measure.gradient_noise(objective, params, [size], draws=2, replacement=replacement)
    batches = itertools.product(range(6), repeat=size) if replacement else itertools.combinations(range(6), size)
    index = np.array(list(batches))
    gradients = objective.network.loss_and_gradients(params, objective.x[index], objective.y[index])[1]
    full = objective.gradients(params)
    exact = sum(((gradients[name] - full[name]) ** 2).sum(axis=(1, 2)).mean() for name in full)
    assert noise.predicted[0] == pytest.approx(exact, rel=1e-10)


def test_the_measured_variance_and_bias_are_what_chance_allows():
    objective, params = small_objective(n=200)
    noise = measure.gradient_noise(objective, params, [1, 4, 16, 64, 200], draws=2000)
    np.testing.assert_allclose(noise.variance[:4], noise.predicted[:4], rtol=0.15)
    assert np.all(noise.bias[:4] < 3 * noise.standard_error[:4])
    assert noise.variance[4] == pytest.approx(0, abs=1e-25)
    full = np.concatenate([g.ravel() for g in objective.gradients(params).values()])
    assert noise.gradient_norm == pytest.approx(np.linalg.norm(full))
    assert noise.noise_scale == pytest.approx(noise.per_example_variance / (full @ full))


def test_bad_batch_sizes_are_named():
    objective, params = small_objective(n=10)
    with pytest.raises(ValueError, match="batch_sizes must be whole numbers from 1 to 10"):
        measure.gradient_noise(objective, params, [4, 11])
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        measure.gradient_noise(objective, params, [4], draws=1)


# ---------------------------------------------------------------- slices


@pytest.mark.parametrize("network", [MLP((4, 5, 3)), MLP((4, 3)), MLP((4, 6, 5, 3), activation="relu")], ids=repr)
def test_a_slice_holds_the_loss_at_its_points(network):
    objective, params = small_objective(network)
    plane = measure.loss_slice(objective, params, radius=0.8, resolution=5, seed=3)
    assert plane.losses[2, 2] == pytest.approx(objective.loss(params), rel=1e-12)
    for i, j in np.ndindex(5, 5):
        moved = {
            n: p + plane.x[i] * plane.directions[0][n] + plane.y[j] * plane.directions[1][n] for n, p in params.items()
        }
        assert plane.losses[i, j] == pytest.approx(objective.loss(moved), rel=1e-12)
    point = np.array([0.31, -0.27])
    numeric = measure.finite_difference_gradient(plane.loss, point)
    np.testing.assert_allclose(plane.gradient(point), numeric, atol=1e-7)


def test_normalized_directions_are_as_long_as_the_weights_neuron_by_neuron():
    _, params = small_objective()
    direction = measure.random_direction(params, 0)
    for name in ("W1", "W2"):
        lengths = np.linalg.norm(direction[name], axis=0)
        np.testing.assert_allclose(lengths, np.linalg.norm(params[name], axis=0), rtol=1e-12)
    assert not direction["b1"].any()


def test_other_directions_are_as_long_as_all_parameters():
    _, params = small_objective()
    direction = measure.random_direction(params, 0, normalize=False)
    assert sum((d**2).sum() for d in direction.values()) == pytest.approx(sum((p**2).sum() for p in params.values()))
    assert direction["b1"].any()


def test_normalized_slices_do_not_see_a_rescaling_that_changes_nothing():
    """ReLU networks: multiply one layer by c, divide the next by c, and the function is the same (Dinh et al. 2017)."""
    objective, params = small_objective(MLP((4, 5, 3), activation="relu"))
    scaled = {"W1": 8 * params["W1"], "b1": 8 * params["b1"], "W2": params["W2"] / 8, "b2": params["b2"]}
    same, different = (
        [measure.loss_slice(objective, p, resolution=5, normalize=n, seed=1).losses for p in (params, scaled)]
        for n in (True, False)
    )
    np.testing.assert_allclose(same[0], same[1], rtol=1e-10)
    assert not np.allclose(different[0], different[1], rtol=0.05)


def test_the_landscape_of_a_slice_agrees_with_it_and_can_be_descended():
    objective, params = small_objective(n=60)
    plane = measure.loss_slice(objective, params, resolution=31, radius=1.2)
    landscape = plane.landscape()
    points = np.random.default_rng(0).uniform(-1.15, 1.15, (40, 2))
    np.testing.assert_allclose(landscape.loss(points), plane.loss(points), atol=1e-4)
    np.testing.assert_allclose(landscape.gradient(points), plane.gradient(points), atol=1e-2)
    run = descend(SGD(0.5), landscape, steps=500)
    assert run.diverged_at is None
    assert run.losses[-1] < run.losses[0]
    assert sweep(SGD, landscape, steps=5, learning_rate=[0.1, 0.5]).vectorized


@pytest.mark.parametrize("point", [(0.3, 0.4), (1.5, 0.2), (0.2, -1.7), (-1.4, 1.3)])
def test_the_landscape_of_a_slice_has_exact_gradients_inside_and_outside(point):
    objective, params = small_objective()
    landscape = measure.loss_slice(objective, params, resolution=15).landscape()
    numeric = measure.finite_difference_gradient(landscape.loss, np.array(point))
    np.testing.assert_allclose(landscape.gradient(np.array(point)), numeric, atol=1e-8)


def test_the_minimum_of_a_slice_is_one():
    network = MLP((2, 1), loss="squared error")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2))
    objective, best = network.on(x, x @ [[1.0], [2.0]]), {"W1": np.array([[1.0], [2.0]]), "b1": np.zeros((1, 1))}
    axes = (
        {"W1": np.array([[1.0], [0.0]]), "b1": np.zeros((1, 1))},
        {"W1": np.array([[0.0], [1.0]]), "b1": np.zeros((1, 1))},
    )
    start = {"W1": np.array([[0.9], [2.17]]), "b1": np.zeros((1, 1))}
    landscape = measure.loss_slice(objective, start, axes, resolution=11).landscape()
    np.testing.assert_allclose(landscape.minima[0], best["W1"][:, 0] - start["W1"][:, 0], atol=1e-9)
    np.testing.assert_allclose(landscape.gradient(landscape.minima[0]), 0, atol=1e-9)


def test_bad_slices_are_refused():
    objective, params = small_objective()
    with pytest.raises(ValueError, match="radius must be a positive number, got 0"):
        measure.loss_slice(objective, params, radius=0)
    with pytest.raises(ValueError, match="resolution must be a whole number of at least 4, got 3"):
        measure.loss_slice(objective, params, resolution=3)


# ---------------------------------------------------------------- runs


def test_steps_to_a_tolerance_of_runs_and_sweeps():
    run = descend(SGD(0.04), ravine, steps=200)
    step = measure.steps_to_tolerance(run, 1e-4)
    assert run.losses[step] <= 1e-4 < run.losses[step - 1]
    assert measure.steps_to_tolerance(run, 1e-300) is None
    grid = sweep(SGD, ravine, steps=200, learning_rate=[0.04, 0.0001, 1.0])
    steps = measure.steps_to_tolerance(grid, 1e-4)
    assert steps.tolist() == [step, np.inf, np.inf]
    assert measure.steps_to_tolerance([5.0, 4.0], 0.5, lowest=3.5) == 1


def test_staying_within_a_tolerance():
    losses = [[9, 0.1, 3, 0.05, 0.01], [9, 0.1, 0.1, 0.1, 5]]
    assert measure.steps_to_tolerance(losses, 0.2).tolist() == [1, 1]
    assert measure.steps_to_tolerance(losses, 0.2, stay=True).tolist() == [3, np.inf]


# ---------------------------------------------------------------- torch modules


def torch_classifier():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(5, 3))
    return TorchModel(module.double())


def test_the_sharpness_of_a_torch_module_is_the_largest_eigenvalue_of_its_hessian():
    model, rng = torch_classifier(), np.random.default_rng(0)
    x, y = rng.standard_normal((40, 4)), rng.integers(0, 3, 40)
    params = {name: array.copy() for name, array in model.initialize().items()}
    module = torch.nn.Sequential(*(layer for layer in model.module if not isinstance(layer, torch.nn.Dropout)))
    names, shapes = ["0.weight", "0.bias", "2.weight", "2.bias"], [(5, 4), (5,), (3, 5), (3,)]

    def loss(flat):
        parts = torch.split(flat, [20, 5, 15, 3])
        values = {n: part.reshape(shape) for n, part, shape in zip(names, parts, shapes, strict=True)}
        outputs = torch.func.functional_call(module, values, torch.from_numpy(x))
        return torch.nn.functional.cross_entropy(outputs, torch.from_numpy(y))

    flat = torch.cat([torch.from_numpy(array).flatten() for array in params.values()])
    whole = torch.autograd.functional.hessian(loss, flat).numpy()
    eigenvalues = np.linalg.eigvalsh(whole)
    low, high = measure.extreme_eigenvalues(model.on(x, y), params)
    assert (low, high) == pytest.approx((eigenvalues[0], eigenvalues[-1]), rel=1e-5)
    assert measure.sharpness(model.on(x, y), params) == pytest.approx(eigenvalues[-1], rel=1e-5)
    np.testing.assert_allclose(measure.hessian(model.on(x, y), params), whole, atol=1e-12)


def test_measuring_a_torch_module_leaves_it_as_it_is():
    model, rng = torch_classifier(), np.random.default_rng(0)
    objective = model.on(rng.standard_normal((10, 4)), rng.integers(0, 3, 10))
    before = {name: array.copy() for name, array in model.initialize().items()}
    elsewhere = {name: array + 1 for name, array in before.items()}
    there, here = objective.loss(elsewhere), objective.loss(before)
    assert there != here == model.loss({}, objective.x, objective.y)
    differences = measure.finite_difference_gradient(objective.loss, elsewhere)
    for name, gradient in objective.gradients(elsewhere).items():
        np.testing.assert_allclose(gradient, differences[name], atol=1e-8)
    measure.sharpness(objective, elsewhere)
    assert model.module.training
    for name, array in model.initialize().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_sharpness_of_a_transformer_can_be_measured():
    model = tasks.char_transformer.model(0)
    data = tasks.char_transformer.data.train
    model.module.double()
    model = TorchModel(model.module)
    objective, params = model.on(data.x[:2], data.y[:2]), model.initialize()
    direction = measure.random_direction(params, 0, normalize=False)
    product = objective.hessian_vector(params, direction)
    ahead, behind = ({n: p + h * direction[n] for n, p in params.items()} for h in (1e-5, -1e-5))
    ahead, behind = objective.gradients(ahead), objective.gradients(behind)
    for name, part in product.items():
        np.testing.assert_allclose(part, (ahead[name] - behind[name]) / 2e-5, atol=1e-6)


# ---------------------------------------------------------------- effective learning rate


def after(optimizer, steps, gradient):
    theta = {"theta": np.zeros_like(gradient)}
    for _ in range(steps):
        optimizer.update(theta, {"theta": gradient})
    return optimizer


STEADY = np.array([0.5, -2.0, 40.0])


@pytest.mark.parametrize(
    ("optimizer", "steps", "rates"),
    [
        (SGD(0.1), 7, np.full(3, 0.1)),
        (MomentumSGD(0.1, 0.9), 0, np.full(3, 0.1)),
        (MomentumSGD(0.1, 0.9), 500, np.full(3, 0.1 / (1 - 0.9))),
        (AdaGrad(0.1, epsilon=0.0), 15, 0.1 / (4 * abs(STEADY))),
        (AdaGrad(0.1, epsilon=0.0), 99, 0.1 / (10 * abs(STEADY))),
        (Adam(0.1, epsilon=0.0), 0, 0.1 / abs(STEADY)),
        (Adam(0.1, epsilon=0.0), 30, 0.1 / abs(STEADY)),
        (RMSprop(0.1, epsilon=0.0), 2000, 0.1 / abs(STEADY)),
    ],
    ids=str,
)
def test_the_effective_rate_on_a_steady_gradient_is_the_one_of_theory(optimizer, steps, rates):
    found = measure.effective_learning_rate(after(optimizer, steps, STEADY), np.zeros(3), STEADY)
    np.testing.assert_allclose(found.per_parameter, rates, rtol=1e-9)
    assert found.overall == pytest.approx((rates * STEADY**2).sum() / (STEADY**2).sum())
    assert found.median == pytest.approx(np.median(rates))
    assert found.step_norm == pytest.approx(np.linalg.norm(rates * STEADY))


def test_looking_at_a_step_takes_none():
    optimizer, params = after(Adam(0.1), 3, STEADY), {"theta": np.ones(3)}
    saved = optimizer.state_dict()
    found = measure.effective_learning_rate(optimizer, params, {"theta": STEADY})
    assert isinstance(found.per_parameter, dict)
    np.testing.assert_array_equal(params["theta"], 1)
    assert optimizer.state["theta"].t == 3
    np.testing.assert_array_equal(optimizer.state_dict()["state"]["theta"]["m"], saved["state"]["theta"]["m"])


def test_the_effective_rate_without_a_gradient_and_uphill():
    found = measure.effective_learning_rate(SGD(0.1), np.zeros(2), np.array([0.0, 3.0]))
    np.testing.assert_allclose(found.per_parameter, [np.nan, 0.1])
    assert found.median == found.overall == pytest.approx(0.1)
    assert np.isnan(measure.effective_learning_rate(SGD(0.1), np.zeros(2), np.zeros(2)).overall)
    carried = after(MomentumSGD(0.1, 0.9), 50, STEADY)
    assert measure.effective_learning_rate(carried, np.zeros(3), -0.1 * STEADY).overall < 0
