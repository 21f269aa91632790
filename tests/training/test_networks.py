"""The network's backpropagation against autograd, and many networks at once against one by one."""

import numpy as np
import pytest
import torch

from optim_lib.networks import MLP

NETWORKS = [
    MLP((6, 5, 4)),
    MLP((6, 5, 4), activation="relu"),
    MLP((6, 4)),
    MLP((6, 7, 5, 3), activation="relu"),
    MLP((6, 7, 5, 3)),
    MLP((6, 5, 2), loss="squared error"),
    MLP((6, 1), loss="squared error"),
]


def case(network, n=11, seed=0):
    """Parameters away from their start (so that no bias is zero), inputs, and targets that fit the loss."""
    rng = np.random.default_rng(seed)
    params = {name: p + 0.3 * rng.standard_normal(p.shape) for name, p in network.initialize(seed).items()}
    x, outputs = rng.standard_normal((n, network.sizes[0])), network.sizes[-1]
    y = rng.integers(outputs, size=n) if network.loss_name == "cross-entropy" else rng.standard_normal((n, outputs))
    return params, x, y


def autograd(network, params, x, y):
    """The same loss and gradients, written with torch."""
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    a = torch.tensor(x)
    for layer in range(1, network.layers + 1):
        a = a @ tensors[f"W{layer}"] + tensors[f"b{layer}"]
        if layer < network.layers:
            a = torch.tanh(a) if network.activation == "tanh" else torch.relu(a)
    functional = torch.nn.functional
    loss = functional.cross_entropy if network.loss_name == "cross-entropy" else functional.mse_loss
    value = loss(a, torch.tensor(y))
    value.backward()
    return value.item(), {name: t.grad.numpy() for name, t in tensors.items()}


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_backpropagation_agrees_with_autograd(network):
    params, x, y = case(network)
    loss, gradients = network.loss_and_gradients(params, x, y)
    expected_loss, expected = autograd(network, params, x, y)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert network.loss(params, x, y) == pytest.approx(expected_loss, rel=1e-12)
    assert list(gradients) == list(params)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-14, err_msg=name)


def test_a_confident_mistake_does_not_overflow():
    network = MLP((1, 3))
    params = {"W1": np.array([[1e4, -1e4, 0.0]]), "b1": np.zeros((1, 3))}
    loss, gradients = network.loss_and_gradients(params, [[1.0]], [1])
    assert loss == pytest.approx(2e4)
    np.testing.assert_allclose(gradients["b1"], [[1.0, -1.0, 0.0]])


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_a_stack_of_networks_is_the_networks_one_by_one(network):
    cases = [case(network, seed=seed) for seed in range(3)]
    stack = {name: np.stack([c[0][name] for c in cases]) for name in cases[0][0]}
    x, y = np.stack([c[1] for c in cases]), np.stack([c[2] for c in cases])
    loss, gradients = network.loss_and_gradients(stack, x, y)
    assert loss.shape == (3,)
    for k, one in enumerate(cases):
        expected_loss, expected = network.loss_and_gradients(*one)
        assert loss[k] == pytest.approx(expected_loss, rel=1e-13)
        for name in expected:
            np.testing.assert_allclose(gradients[name][k], expected[name], rtol=1e-12, atol=1e-15)


def test_one_network_on_many_batches_gives_a_gradient_for_each():
    network = NETWORKS[0]
    params, x, y = case(network, n=40)
    batches = np.arange(40).reshape(5, 8)
    loss, gradients = network.loss_and_gradients(params, x[batches], y[batches])
    assert loss.shape == (5,)
    assert gradients["b1"].shape == (5, 1, 5)
    for k, batch in enumerate(batches):
        expected = network.loss_and_gradients(params, x[batch], y[batch])[1]
        np.testing.assert_allclose(gradients["W1"][k], expected["W1"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_hessian_vector_products_agree_with_a_complex_step(network):
    params, x, y = case(network)
    objective = network.on(x, y)
    rng = np.random.default_rng(1)
    direction = {name: rng.standard_normal(p.shape) for name, p in params.items()}
    product = objective.hessian_vector(params, direction)
    complex_network = MLP(network.sizes, network.activation, network.loss_name, dtype=complex)
    moved = {name: p + 1e-30j * direction[name] for name, p in params.items()}
    expected = complex_network.loss_and_gradients(moved, x, y)[1]
    for name in params:
        np.testing.assert_allclose(product[name], expected[name].imag / 1e-30, rtol=1e-11, atol=1e-13)


def test_several_directions_give_several_products():
    network = NETWORKS[4]
    params, x, y = case(network)
    rng = np.random.default_rng(1)
    directions = {name: rng.standard_normal((3, *p.shape)) for name, p in params.items()}
    products = network.hessian_vector(params, x, y, directions)
    one = network.hessian_vector(params, x, y, {name: d[1] for name, d in directions.items()})
    for name in params:
        np.testing.assert_allclose(products[name][1], one[name], rtol=1e-12, atol=1e-15)


def test_linear_regression_has_the_gradients_of_the_article():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 1)), rng.standard_normal((20, 1))
    w, b = 0.7, -0.2
    _, gradients = MLP((1, 1), loss="squared error").loss_and_gradients(
        {"W1": np.array([[w]]), "b1": np.array([[b]])}, x, y
    )
    assert gradients["W1"].item() == pytest.approx(-2 / 20 * np.sum(x * (y - (w * x + b))))
    assert gradients["b1"].item() == pytest.approx(-2 / 20 * np.sum(y - (w * x + b)))


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2.0), ("tanh", 1.0)])
def test_initial_weights_have_the_spread_of_their_rule(activation, gain):
    network = MLP((400, 300, 200), activation=activation)
    params = network.initialize(seed=3)
    assert params["W1"].var() == pytest.approx(gain / 400, rel=0.02)
    assert params["W2"].var() == pytest.approx(1 / 300, rel=0.03)
    assert not params["b1"].any()
    np.testing.assert_array_equal(params["W2"], network.initialize(seed=3)["W2"])
    assert not np.array_equal(params["W2"], network.initialize(seed=4)["W2"])


def test_predictions_and_accuracy():
    network = MLP((1, 2))
    params = {"W1": np.array([[-1.0, 1.0]]), "b1": np.zeros((1, 2))}
    x = [[-2.0], [3.0], [1.0], [-1.0]]
    assert network.predict(params, x).tolist() == [0, 1, 1, 0]
    assert network.accuracy(params, x, np.array([0, 1, 0, 0])) == 0.75
    with pytest.raises(ValueError, match="targets are not classes"):
        MLP((1, 1), loss="squared error").accuracy({}, x, [1])


def test_float32_stays_float32():
    network = MLP((6, 5, 4), dtype=np.float32)
    params = network.initialize(0)
    _, gradients = network.loss_and_gradients(params, np.ones((3, 6)), np.array([0, 1, 2]))
    assert {a.dtype for a in (*params.values(), *gradients.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (64,)}, "sizes must be at least two whole numbers"),
        ({"sizes": (64, 0, 10)}, "sizes must be at least two whole numbers"),
        ({"activation": "sigmoid"}, "activation must be one of tanh, relu, got 'sigmoid'"),
        ({"loss": "hinge"}, "loss must be one of cross-entropy, squared error, got 'hinge'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLP(**arguments)


@pytest.mark.parametrize("loss", ["cross-entropy", "squared error"])
def test_weights_count_an_example_so_many_times(loss):
    network, rng = MLP((4, 5, 3), loss=loss), np.random.default_rng(0)
    params, x = network.initialize(1), rng.standard_normal((6, 4))
    y = rng.integers(0, 3, 6) if loss == "cross-entropy" else rng.standard_normal((6, 3))
    weights = np.array([2, 0, 1, 3, 0, 0])
    weighted = network.loss_and_gradients(params, x, y, weights)
    repeated = network.loss_and_gradients(params, np.repeat(x, weights, axis=0), np.repeat(y, weights, axis=0))
    assert weighted[0] == pytest.approx(repeated[0])
    for name, gradient in repeated[1].items():
        np.testing.assert_allclose(weighted[1][name], gradient, atol=1e-14)
    negative = network.loss_and_gradients(params, x, y, -np.ones(6))
    assert negative[0] == -network.loss(params, x, y)
    np.testing.assert_array_equal(negative[1]["W1"], -network.loss_and_gradients(params, x, y)[1]["W1"])
