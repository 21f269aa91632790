"""What the modern optimizers promise beyond agreement with a peer: their equations by hand, and their kinship."""

from __future__ import annotations

import math
from functools import partial

import jax
import numpy as np
import optax
import pytest
import torch

from optim_lib.data import digits
from optim_lib.networks import MLP
from optim_lib.optimizers import (
    ADOPT,
    LAMB,
    LARS,
    SGD,
    SOAP,
    AdaBelief,
    Adafactor,
    AdaGrad,
    Adam,
    AdamHyperball,
    AdamW,
    AdEMAMix,
    CautiousAdamW,
    Lion,
    MomentumSGD,
    Muon,
    MuonHyperball,
    NAdam,
    NorMuon,
    Prodigy,
    RAdam,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Shampoo,
    largest_logits,
    layerwise,
    matrix,
    qk_clip,
)
from optim_lib.training import train, train_sweep
from tests.library.table import DoublePrecisionMuon, assert_same, copied, gradients, label, parameters, walk


def matrices(steps, shape=(4, 3), seed=0):
    return [{"w": grad} for grad in np.random.default_rng(seed).standard_normal((steps, *shape))]


# ---------------------------------------------------------------------- by hand: plain numbers, the papers' equations


def test_two_steps_of_nadam_worked_out_by_hand():
    rate, beta1, beta2, epsilon, psi = 0.1, 0.9, 0.5, 0.25, 0.5
    theta, m, v, product = 1.0, 0.0, 0.0, 1.0
    nadam, ours = NAdam(rate, beta1, beta2, epsilon, psi), {"w": np.array([theta])}
    for t, grad in enumerate((2.0, -1.0), start=1):
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
        product *= mu
        m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * grad / (1 - product)
        theta -= rate * m_hat / (math.sqrt(v / (1 - beta2**t)) + epsilon)
        assert nadam.update(ours, {"w": np.array([grad])})["w"] == pytest.approx([theta], rel=1e-14)


def test_radam_begins_as_momentum_and_rectifies_from_the_sixth_step():
    """At beta2 = 0.999, rho is 1.0, 2.0, 3.0, 4.0, 5.0 (just below) and 6.0 in the first six steps."""
    radam, ours = RAdam(learning_rate=1.0, beta1=0.0, epsilon=0.0), {"w": np.array([0.0])}
    for _ in range(5):
        before = ours["w"].copy()
        assert radam.update(ours, {"w": np.array([4.0])})["w"] - before == pytest.approx([-4.0], rel=1e-14)
    rho_inf, power = 1999.0, 0.999**6
    rho = rho_inf - 12 * power / (1 - power)
    r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    before = ours["w"].copy()
    assert radam.update(ours, {"w": np.array([4.0])})["w"] - before == pytest.approx([-r], rel=1e-12)
    assert r < 0.03


def test_two_steps_of_adabelief_worked_out_by_hand():
    """The first gradient surprises by 4 - 2 = 2, the second, equal to the average, by nothing."""
    belief, ours = AdaBelief(learning_rate=1.0, beta1=0.5, beta2=0.75, epsilon=0.25), {"w": np.array([0.0])}
    belief.update(ours, {"w": np.array([4.0])})  # m = 2, s = 1/4 * 4 + 1/4 = 5/4, corrected 4 and 5
    first = -4 / (math.sqrt(5) + 0.25)
    assert ours["w"] == pytest.approx([first], rel=1e-14)
    belief.update(ours, {"w": np.array([2.0])})  # m = 2, s = 3/4 * 5/4 + 0 + 1/4 = 19/16, corrected 8/3 and 19/7
    assert ours["w"] == pytest.approx([first - 8 / 3 / (math.sqrt(19 / 7) + 0.25)], rel=1e-14)


def test_two_steps_of_lion_worked_out_by_hand():
    """The second gradient outvotes the memory in the step (0.5 * 1 - 0.5 * 3 < 0)."""
    lion, ours = Lion(learning_rate=0.5, beta1=0.5, beta2=0.75, weight_decay=0.5), {"w": np.array([1.0])}
    lion.update(ours, {"w": np.array([4.0])})  # sign 1, m = 1
    assert ours["w"].tolist() == [1 - 0.5 * 1.5]
    lion.update(ours, {"w": np.array([-3.0])})  # c = -1, sign -1, m = 3/4 - 3/4 = 0
    assert ours["w"].tolist() == [0.25 + 0.5 * (1 - 0.125)]
    assert lion.state["w"].m.tolist() == [0.0]


def test_two_steps_of_adafactor_worked_out_by_hand():
    theta, row, column = np.array([[3.0, 1.0], [1.0, 1.0]]), np.zeros((2, 1)), np.zeros((1, 2))
    adafactor, ours = Adafactor(learning_rate=0.5, decay_power=0.5, clip_threshold=0.75), {"w": theta.copy()}
    for t, grad in enumerate((np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[0.0, 5.0], [-1.0, 1.0]])), start=1):
        beta = 1 - t**-0.5
        row = beta * row + (1 - beta) * (grad[:, :1] ** 2 + grad[:, 1:] ** 2)  # sums, as in the paper
        column = beta * column + (1 - beta) * (grad[:1] ** 2 + grad[1:] ** 2)
        u = grad / np.sqrt(row @ column / row.sum())
        u /= max(1.0, math.sqrt((u**2).sum() / 4) / 0.75)
        theta = theta - max(0.001, math.sqrt((theta**2).sum() / 4)) * min(0.5, 1 / math.sqrt(t)) * u
        assert adafactor.update(ours, {"w": grad})["w"] == pytest.approx(theta, rel=1e-13)


def test_shampoo_is_the_paper_with_eigenvalues_by_hand():
    """A gradient 5 u v^T: L = eps + 25 u u^T, R = eps + 25 v v^T (|u| = |v| = 1), so the step is 5 / sqrt(25 + eps)."""
    u, v = np.array([[0.6], [0.8]]), np.array([[0.0, 1.0, 0.0]])
    theta = Shampoo(learning_rate=1.0, epsilon=11.0).update({"w": np.zeros((2, 3))}, {"w": 5 * u * v})["w"]
    np.testing.assert_allclose(theta, -5 / 6 * u * v, rtol=1e-13, atol=1e-15)


def test_twelve_steps_of_prodigy_worked_out_by_hand():
    rate, beta1, beta2, epsilon, decay, d = 0.5, 0.5, 0.25, 0.125, 0.25, 0.25
    start, m, v, s, r = [1.0, -2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0.0
    theta, root = list(start), 0.5
    prodigy = Prodigy(rate, beta1, beta2, epsilon, decay, d)
    ours = {"a": np.array([1.0]), "b": np.array([-2.0])}
    estimates = []
    for grad in [[4.0, -1.0], [2.0, -3.0]] * 6:
        r = root * r + (1 - root) * rate * d**2 * sum(grad[i] * (start[i] - theta[i]) for i in (0, 1))
        for i in (0, 1):
            m[i] = beta1 * m[i] + (1 - beta1) * d * grad[i]
            v[i] = beta2 * v[i] + (1 - beta2) * d**2 * grad[i] ** 2
            s[i] = root * s[i] + (1 - root) * rate * d**2 * grad[i]
            theta[i] = theta[i] - rate * d * decay * theta[i] - rate * d * m[i] / (math.sqrt(v[i]) + d * epsilon)
        d = max(d, r / (abs(s[0]) + abs(s[1])))
        prodigy.update(ours, {"a": np.array(grad[:1]), "b": np.array(grad[1:])})
        assert [ours["a"][0], ours["b"][0]] == pytest.approx(theta, rel=1e-14)
        assert prodigy.state["a"].d == prodigy.state["b"].d == pytest.approx([d], rel=1e-14)
        estimates.append(d)
    assert estimates[-1] > 2 * estimates[0]


@pytest.mark.parametrize("optimizer", [ScheduleFreeSGD, ScheduleFreeAdamW], ids=label)
def test_schedule_free_is_its_three_sequences(optimizer):
    """x, y and z kept apart, as in the paper; the rate changes, so that the weights of the average matter."""
    rates, beta, beta2, decay = [0.1, 0.2, 0.4, 0.4, 0.1], 0.75, 0.5, 0.125
    ours, v, total = {"w": np.array([1.0, -2.0])}, 0.0, 0.0
    free = optimizer(beta1=beta, weight_decay=decay, **({"beta2": beta2} if optimizer is ScheduleFreeAdamW else {}))
    x = z = ours["w"].copy()
    for t, (rate, grad) in enumerate(zip(rates, np.random.default_rng(0).standard_normal((5, 2)), strict=True), 1):
        y = (1 - beta) * z + beta * x
        np.testing.assert_allclose(ours["w"], y, rtol=1e-13)
        v = beta2 * v + (1 - beta2) * grad**2
        scale = np.sqrt(v / (1 - beta2**t)) + 1e-8 if optimizer is ScheduleFreeAdamW else 1.0
        z = z - rate * (grad / scale + decay * y)
        total += rate**2
        x = (1 - rate**2 / total) * x + rate**2 / total * z
        free.learning_rate = rate
        free.update(ours, {"w": grad})
        np.testing.assert_allclose(free.eval_params(ours)["w"], x, rtol=1e-13)
        np.testing.assert_allclose(free.state["w"].z, z, rtol=1e-13)


# ---------------------------------------------------------------------- Schedule-Free: where to evaluate


def test_the_average_is_that_of_optax():
    with jax.enable_x64(True):
        peer, start, sequence = optax.contrib.schedule_free_sgd(0.3, b1=0.8), parameters(), gradients(50)
        state, params = peer.init(start), {name: jax.numpy.asarray(array) for name, array in start.items()}
        for grads in sequence:
            updates, state = peer.update(grads, state, params)
            params = optax.apply_updates(params, updates)
        expected = optax.contrib.schedule_free_eval_params(state, params)
        free, ours = ScheduleFreeSGD(0.3, beta1=0.8), copied(start)
        walk(free, ours, sequence)
        before = copied(ours)
        for name, average in free.eval_params(ours).items():
            np.testing.assert_allclose(average, np.asarray(expected[name]), rtol=1e-10, atol=1e-10)
        assert_same(ours, before)


def test_the_average_of_parameters_not_yet_stepped_is_a_copy():
    params = {"w": np.ones(2)}
    average = ScheduleFreeSGD().eval_params(params)["w"]
    assert average is not params["w"]
    assert average.tolist() == [1.0, 1.0]


def test_training_evaluates_schedule_free_at_its_average():
    model, data, free = MLP((64, 10)), digits(), ScheduleFreeSGD(learning_rate=0.5)
    history = train(model, free, data, epochs=2, progress=False)
    average = free.eval_params(history.params)
    assert history.train_losses[-1] == float(model.loss(average, *data.train))
    assert history.train_losses[-1] != float(model.loss(history.params, *data.train))
    together = train_sweep(model, ScheduleFreeSGD, data, epochs=2, learning_rate=[0.1, 0.5], progress=False)
    assert together.vectorized
    assert together.train_losses[1, 0] == pytest.approx(history.train_losses, rel=1e-10)


def test_training_evaluates_a_torch_module_at_the_average_and_goes_on_from_the_weights():
    data = digits()
    torch.manual_seed(0)
    module = torch.nn.Linear(64, 10).double()
    free = ScheduleFreeSGD(learning_rate=0.5)
    history = train(module, free, data, epochs=1, progress=False)
    outside = free.eval_params(history.params)
    assert any(np.any(outside[name] != array) for name, array in history.params.items())
    with torch.no_grad():
        logits = torch.tensor(data.train.x) @ torch.tensor(outside["weight"]).T + torch.tensor(outside["bias"])
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(data.train.y))
    assert history.train_losses[-1] == pytest.approx(loss.item(), rel=1e-12)


# ---------------------------------------------------------------------- matrices


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (5, 5), (7, 2)])
def test_orthogonalize_keeps_singular_vectors_and_makes_all_singular_values_about_one(shape):
    rng = np.random.default_rng(0)
    given = rng.standard_normal(shape)
    u, sigma, vt = np.linalg.svd(given, full_matrices=False)
    found = matrix.orthogonalize(given)
    made = u.T @ found @ vt.T
    np.testing.assert_allclose(made, np.diag(np.diag(made)), atol=1e-12)
    assert np.all((np.diag(made) > 0.65) & (np.diag(made) < 1.25))
    a, b, c = matrix.QUINTIC
    values = sigma / np.linalg.norm(sigma)
    for _ in range(5):
        values = a * values + b * values**3 + c * values**5
    np.testing.assert_allclose(np.diag(made), values, rtol=1e-12)


def test_orthogonalize_takes_a_stack_and_a_zero():
    stack = np.random.default_rng(0).standard_normal((2, 3, 4, 3))
    stack[1, 2] = 0
    together = matrix.orthogonalize(stack)
    for index in np.ndindex(2, 3):
        np.testing.assert_allclose(together[index], matrix.orthogonalize(stack[index]), rtol=1e-12, atol=1e-15)
    assert not together[1, 2].any()


def test_the_scale_of_a_gradient_does_not_matter_to_muon_but_that_of_shampoo_cancels():
    start, sequence = {"w": np.ones((4, 3))}, matrices(5)
    scaled = [{"w": 1024 * grads["w"]} for grads in sequence]
    for optimizer in (Muon(), Shampoo(epsilon=0.0)):
        one = walk(optimizer, copied(start), sequence)
        optimizer.reset()
        np.testing.assert_allclose(walk(optimizer, copied(start), scaled)["w"], one["w"], rtol=1e-9)


@pytest.mark.parametrize("optimizer", [Muon, SOAP], ids=label)
def test_vectors_take_the_step_of_adamw(optimizer):
    """Also those stored as a row or a column. SOAP takes no step with the first gradient."""
    for shape in ((), (1,), (4,), (1, 4), (4, 1)):
        sequence = [{"w": np.asarray(g)} for g in np.random.default_rng(0).standard_normal((6, *shape))]
        setting = {"beta1": 0.9, "beta2": 0.9, "epsilon": 1e-8, "weight_decay": 0.0}
        ours = walk(optimizer(learning_rate=0.1, **setting), {"w": np.ones(shape)}, sequence)
        rate, seen = (0.1 * 0.015, sequence) if optimizer is Muon else (0.1, sequence[1:])
        adamw = AdamW(learning_rate=rate, **setting)
        np.testing.assert_allclose(ours["w"], walk(adamw, {"w": np.ones(shape)}, seen)["w"], rtol=1e-13)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)], ids=str)
@pytest.mark.parametrize("output_axis", [0, -1])
def test_muon_takes_torchs_step_whichever_way_a_layer_is_stored(shape, output_axis):
    """torch's Linear(inputs, outputs) has its outputs first, the networks of this course have them last."""
    outputs, inputs = shape
    start, *sequence = np.random.default_rng(0).standard_normal((7, outputs, inputs))
    theirs = torch.tensor(start, requires_grad=True)
    peer = DoublePrecisionMuon([theirs], learning_rate=0.1, momentum=0.5)
    stored = (lambda matrix: matrix.copy()) if output_axis == 0 else (lambda matrix: matrix.T.copy())
    muon, ours = Muon(0.1, momentum=0.5, output_axis=output_axis), {"W": stored(start)}
    for grad in sequence:
        theirs.grad = torch.tensor(grad)
        peer.step()
        muon.update(ours, {"W": stored(grad)})
    np.testing.assert_allclose(stored(ours["W"]), theirs.detach().numpy(), rtol=1e-9, atol=1e-9)


def test_muon_takes_a_kernel_of_either_layout_as_the_same_matrix():
    """Outputs first, as torch stores a convolution, or last, as Keras and Flax do."""
    first, *sequence = np.random.default_rng(0).standard_normal((4, 6, 2, 3, 3))
    last = {"W": np.moveaxis(first, 0, -1).copy()}
    torch_like, keras_like, ours = Muon(0.1), Muon(0.1, output_axis=-1), {"W": first.copy()}
    for grad in sequence:
        torch_like.update(ours, {"W": grad})
        keras_like.update(last, {"W": np.moveaxis(grad, 0, -1)})
    np.testing.assert_allclose(np.moveaxis(last["W"], -1, 0), ours["W"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [LARS, LAMB, Adafactor, Shampoo, SOAP], ids=label)
def test_no_other_rule_asks_which_way_a_matrix_lies(optimizer):
    start, *sequence = np.random.default_rng(0).standard_normal((7, 5, 3))
    ours, turned = {"W": start.copy()}, {"W": start.T.copy()}
    one, other = optimizer(learning_rate=0.1), optimizer(learning_rate=0.1)
    for grad in sequence:
        one.update(ours, {"W": grad})
        other.update(turned, {"W": grad.T})
    np.testing.assert_allclose(turned["W"].T, ours["W"], rtol=1e-7, atol=1e-9)


def test_muon_decays_the_old_weights_of_matrices_and_vectors():
    for shape in ((3, 3), (3,)):
        muon = Muon(learning_rate=0.1, weight_decay=0.5)
        start, grad = (
            np.arange(1.0, 1 + np.prod(shape)).reshape(shape),
            {"w": np.eye(3).reshape(-1)[: np.prod(shape)].reshape(shape)},
        )
        without = Muon(learning_rate=0.1).update({"w": start.copy()}, grad)["w"]
        np.testing.assert_allclose(muon.update({"w": start.copy()}, grad)["w"], without - 0.05 * start, rtol=1e-13)


def test_soap_decays_the_old_weights():
    start, sequence = np.full((3, 2), 2.0), matrices(2, (3, 2))
    without = walk(SOAP(0.1, weight_decay=0.0), {"w": start.copy()}, sequence)["w"]
    with_decay = walk(SOAP(0.1, weight_decay=0.5), {"w": start.copy()}, sequence)["w"]
    np.testing.assert_allclose(with_decay, without - 0.05 * start, rtol=1e-13)


def test_soap_in_the_basis_of_the_coordinates_is_adam():
    """Gradients with one entry in each row and column leave L and R diagonal: the eigenvectors are the coordinates."""
    scales = np.random.default_rng(0).uniform(0.5, 2.0, (8, 3)) * np.array([9.0, 3.0, 1.0])
    sequence = [{"w": np.diag(scale)} for scale in scales]
    setting = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.9, "epsilon": 1e-8}
    soap = walk(SOAP(**setting, weight_decay=0.0, precondition_frequency=2), {"w": np.ones((3, 3))}, sequence)["w"]
    adam = walk(Adam(**setting), {"w": np.ones((3, 3))}, sequence[1:])["w"]
    np.testing.assert_allclose(soap, adam, rtol=1e-12)


def test_soap_and_shampoo_do_not_care_in_which_basis_a_layer_is_written():
    """Turned weights and gradients, turned steps: Adam and AdaGrad, which see coordinates, would differ."""
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((n, n))).Q for n in (4, 4))
    sequence = matrices(12, (4, 4))
    turned = [{"w": left @ grads["w"] @ right.T} for grads in sequence]
    start = rng.standard_normal((4, 4))
    for make, free in ((SOAP, True), (Shampoo, True), (Muon, True), (AdaGrad, False), (Adam, False)):
        plain = walk(make(learning_rate=0.1), {"w": start.copy()}, sequence)["w"]
        other = walk(make(learning_rate=0.1), {"w": left @ start @ right.T}, turned)["w"]
        assert np.allclose(left @ plain @ right.T, other, rtol=1e-7, atol=1e-7) == free


def test_the_first_basis_of_soap_does_not_depend_on_rounding():
    """A 6 x 2 gradient leaves four eigenvalues zero, whose eigenvectors might be any: they are settled."""
    rng = np.random.default_rng(0)
    grad = rng.standard_normal((6, 2))
    noisy = grad * (1 + 1e-15 * rng.standard_normal((6, 2)))
    bases = []
    for each in (grad, noisy):
        soap = SOAP()
        soap.update({"w": np.zeros((6, 2))}, {"w": each})
        bases.append(soap.state["w"].basis0)
    np.testing.assert_allclose(bases[0].T @ bases[0], np.eye(6), atol=1e-12)
    assert np.abs(bases[0].T @ bases[1]) == pytest.approx(np.eye(6), abs=1e-9)


def test_a_tensor_is_preconditioned_along_every_axis():
    shampoo = Shampoo()
    shampoo.update({"w": np.zeros((2, 1, 3, 4))}, {"w": np.ones((2, 1, 3, 4))})
    shapes = {slot: array.shape for slot, array in shampoo.state["w"].arrays().items()}
    assert shapes == {"statistics0": (2, 2), "statistics1": (3, 3), "statistics2": (4, 4)}


# ---------------------------------------------------------------------- kinship: one rule inside another


@pytest.mark.parametrize(
    ("general", "special", "gradient"),
    [
        (Lion(0.1, beta1=0.0), lambda: SGD(0.1), np.sign),
        (ScheduleFreeSGD(0.1, beta1=1e-12), lambda: SGD(0.1), lambda grad: grad),
        (NAdam(0.1, beta1=0.0), lambda: Adam(0.1, beta1=0.0), lambda grad: grad),
        (RAdam(0.1, beta1=0.5, beta2=0.5), lambda: MomentumSGD(0.1, momentum=0.5), None),
    ],
    ids=["Lion without memory is SGD on signs", "Schedule-Free without its average is SGD",
         "NAdam without momentum is Adam", "RAdam that never trusts is momentum"],
)  # fmt: skip
def test_a_modern_rule_contains_an_older_one(general, special, gradient):
    sequence = gradients(20)
    ours = walk(general, parameters(), sequence)
    if gradient is None:  # the first moment, corrected, is an average: momentum's sum over 1 - beta1**t and its weight
        sequence = [{name: grad * 0.5 for name, grad in grads.items()} for grads in sequence]
        theirs, momentum = parameters(), special()
        for t, grads in enumerate(sequence, start=1):
            momentum.learning_rate = 0.1 / (1 - 0.5**t)
            momentum.update(theirs, grads)
    else:
        seen = [{name: gradient(grad) for name, grad in grads.items()} for grads in sequence]
        theirs = walk(special(), parameters(), seen)
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-9, atol=1e-9)


def test_shampoo_of_one_number_is_adagrad():
    for shape in ((), (1,), (1, 1)):
        sequence = [{"w": np.full(shape, grad)} for grad in (3.0, -1.0, 0.5)]
        shampoo, adagrad = Shampoo(0.1, epsilon=0.0), AdaGrad(0.1, epsilon=0.0)
        ours, theirs = (walk(each, {"w": np.ones(shape)}, sequence)["w"] for each in (shampoo, adagrad))
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_adafactor_of_a_rank_one_gradient_has_adams_second_moment():
    """The rows and columns of a product are all there is to know: the factored moment is the whole one."""
    rng = np.random.default_rng(0)
    grad = rng.uniform(1, 2, (4, 1)) * rng.uniform(1, 2, (1, 3))
    factored = Adafactor(learning_rate=0.1, clip_threshold=100.0)
    whole = factored.update({"w": np.ones((4, 3))}, {"w": grad})["w"]
    np.testing.assert_allclose(whole, 1 - 0.1 * np.sign(grad), rtol=1e-13)


@pytest.mark.parametrize(
    ("layerwise_rule", "plain"),
    [
        (LARS(0.1, momentum=0.8, weight_decay=0.0), MomentumSGD(0.1, momentum=0.8)),
        (LAMB(0.1, weight_decay=0.3, epsilon=1e-8), AdamW(0.1, weight_decay=0.3)),
    ],
    ids=["LARS with a ratio of 1 is momentum", "LAMB with a ratio of 1 is AdamW"],
)
def test_a_layerwise_rule_that_trusts_all_layers_alike_is_the_plain_one(layerwise_rule, plain, monkeypatch):
    monkeypatch.setattr(layerwise, "trust_ratio", lambda numerator, denominator, defined: np.ones_like(numerator))
    sequence = gradients(50)
    ours, theirs = walk(layerwise_rule, parameters(), sequence), walk(plain, parameters(), sequence)
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-12, atol=1e-14)


# ---------------------------------------------------------------------- Prodigy: one rate for all


def test_prodigy_finds_a_rate_of_the_size_of_the_distance():
    for distance in (0.1, 10.0, 1000.0):
        prodigy, params = Prodigy(), {"w": np.zeros(3)}
        for _ in range(400):
            prodigy.update(params, {"w": np.sign(params["w"] - distance)})
        assert distance / 10 < prodigy.state["w"].d[0] < 3 * distance


def test_a_late_parameter_takes_over_the_rate_that_the_others_have_found():
    prodigy, params = Prodigy(), {"a": np.zeros(2)}
    for _ in range(100):
        prodigy.update(params, {"a": params["a"] - 5})
    found = prodigy.state["a"].d.copy()
    assert found > 100 * 1e-6
    prodigy.update({**params, "late": np.zeros((2, 2))}, {"a": params["a"] - 5, "late": np.ones((2, 2))})
    assert prodigy.state["late"].d.shape == (1, 1)
    assert prodigy.state["late"].d.item() == prodigy.state["a"].d.item() >= found


def test_a_nan_stops_prodigys_rate_from_growing_and_spoils_no_other_parameter():
    prodigy, params = Prodigy(), {"sick": np.zeros(1), "well": np.zeros(1)}
    for step in range(60):
        if step == 30:
            before = prodigy.state["well"].d.copy()
        prodigy.update(params, {"sick": np.array([np.nan if step == 30 else 1.0]), "well": params["well"] - 5})
    assert np.isnan(params["sick"])
    assert np.isfinite(params["well"])
    assert prodigy.state["well"].d == before


# ---------------------------------------------------------------------- states of other shapes


def test_a_state_of_other_shapes_is_checked_when_its_parameter_comes():
    for optimizer in (Adafactor, Muon, Shampoo, SOAP):
        used, params = optimizer(), {"w": np.ones((3, 2))}
        used.update(params, {"w": np.ones((3, 2))})
        saved = used.state_dict()
        slot = next(name for name in saved["state"]["w"] if name != "t")
        del saved["state"]["w"][slot]
        fresh = optimizer()
        fresh.load_state_dict(saved)
        with pytest.raises(
            ValueError, match=rf"params\['w'\] must come with the state that was saved for it, but {slot}"
        ):
            fresh.update(params, {"w": np.ones((3, 2))})
        fresh.load_state_dict(used.state_dict())
        with pytest.raises(ValueError, match=r"params\['w'\] must stay what it was when \w+ was made"):
            fresh.update({"w": np.ones((2, 3))}, {"w": np.ones((2, 3))})
        for wrong, error in ((np.ones(3, int), TypeError), ([1.0], TypeError)):
            saved = used.state_dict()
            saved["state"]["w"][slot] = wrong
            with pytest.raises(error, match=f"must have a floating-point array as {slot}"):
                fresh.load_state_dict(saved)


def test_an_array_hyperparameter_of_a_rule_that_sees_the_whole_parameter_needs_its_sweep_axes():
    for optimizer in (NAdam, Adafactor, Muon, Shampoo, SOAP, ScheduleFreeSGD, Prodigy):
        swept, params = optimizer(learning_rate=np.array([[0.1], [0.2]])), {"w": np.ones((2, 3))}
        with pytest.raises(ValueError, match=r"learning_rate must be one number for all of params\['w'\].*axes is 0"):
            swept.update(params, {"w": np.ones((2, 3))})
        assert swept.state == {}
        swept.sweep_axes = 1
        swept.update(params, {"w": np.ones((2, 3))})


# ---------------------------------------------------------------------- after AdamW: memories, decay, norms


def test_two_steps_of_adopt_worked_out_by_hand():
    """The first gradient makes the second moment; the second is divided by that, and enters it afterwards."""
    adopt, ours = ADOPT(learning_rate=1.0, beta1=0.5, beta2=0.75), {"w": np.array([0.0])}
    assert adopt.update(ours, {"w": np.array([4.0])})["w"] == 0  # v = 16
    assert adopt.update(ours, {"w": np.array([2.0])})["w"] == pytest.approx([-0.25], rel=1e-14)  # m = 2 / 4 / 2
    assert adopt.state["w"].v == pytest.approx([13.0])  # 3/4 * 16 + 1/4 * 4
    adopt.update(ours, {"w": np.array([400.0])})  # 400 / sqrt(13) is cut to the fourth root of 2
    assert ours["w"] == pytest.approx([-0.25 - (0.125 + 2**0.25 / 2)], rel=1e-14)


def test_adopt_converges_where_adam_does_not():
    """The example of Reddi et al.: one large gradient among many small ones that point the other way."""
    ends = {}
    for optimizer in (Adam, partial(ADOPT, clip=0)):
        rule, params = optimizer(learning_rate=0.005, beta1=0.0, beta2=0.1), {"x": np.zeros(1)}
        for t in range(3000):
            rule.update(params, {"x": np.array([1010.0 if t % 101 == 1 else -10.0])})
            np.clip(params["x"], -1, 1, out=params["x"])
        ends[type(rule)] = params["x"].item()
    assert ends[Adam] > 0.9  # the worst point of [-1, 1]
    assert ends[ADOPT] < -0.4


def test_ademamix_without_its_long_memory_is_adamw():
    start, sequence = parameters(), gradients(20)
    setting = {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.3}
    ours = walk(AdEMAMix(alpha=0.0, **setting), copied(start), sequence)
    assert_same(ours, walk(AdamW(**setting), copied(start), sequence))


def test_the_long_memory_of_ademamix_grows_by_its_half_life():
    """Halfway through the warm-up: the mean of the half-lives 1 and 3, half the weight."""
    mix, ours = AdEMAMix(1.0, beta1=0.5, beta3=0.5 ** (1 / 3), alpha=2.0, warmup=2.0), {"w": np.array([0.0])}
    mix.update(ours, {"w": np.array([1.0])})
    assert mix.state["w"].n == pytest.approx([1 - 0.5**0.5], rel=1e-14)
    assert ours["w"] == pytest.approx([-(1 + (1 - 0.5**0.5))], rel=1e-7)
    mix.update(ours, {"w": np.array([0.0])})
    assert mix.state["w"].n == pytest.approx([(1 - 0.5**0.5) * 0.5 ** (1 / 3)], rel=1e-14)


def test_cautious_decay_acts_where_the_step_goes_toward_zero():
    cautious, ours = CautiousAdamW(0.1, weight_decay=1.0), {"w": np.array([1.0, 1.0, -1.0, -1.0])}
    cautious.update(ours, {"w": np.array([2.0, -2.0, 2.0, -2.0])})
    assert ours["w"] == pytest.approx([0.8, 1.1, -1.1, -0.8], rel=1e-7)


def test_cautious_decay_rests_where_the_loss_is_least_and_adamw_does_not():
    ends = {}
    for optimizer in (AdamW, CautiousAdamW):
        rule, params = optimizer(learning_rate=0.01, beta2=0.9, weight_decay=2.0), {"w": np.array([2.0])}
        for _ in range(2000):
            rule.update(params, {"w": params["w"] - 1.0})
        ends[optimizer] = params["w"].item()
    assert ends[CautiousAdamW] == pytest.approx(1.0, abs=0.02)
    assert ends[AdamW] == pytest.approx(0.5, abs=0.02)


def test_normuon_gives_each_neuron_the_same_length_and_all_together_that_of_muon():
    start, *sequence = np.random.default_rng(0).standard_normal((7, 6, 3))
    steps = {}
    for optimizer in (Muon, NorMuon):
        rule, ours = optimizer(0.1, momentum=0.0), {"W": start.copy()}
        rule.update(ours, {"W": sequence[0]})
        steps[optimizer] = np.linalg.norm(ours["W"] - start, axis=1)
    assert np.ptp(steps[NorMuon]) < 1e-9 < np.ptp(steps[Muon])
    assert np.linalg.norm(steps[NorMuon]) == pytest.approx(np.linalg.norm(steps[Muon]), rel=1e-9)


def test_normuon_takes_the_same_step_whichever_way_a_layer_is_stored():
    start, *sequence = np.random.default_rng(0).standard_normal((7, 5, 3))
    rows, columns = {"W": start.copy()}, {"W": start.T.copy()}
    one, other = NorMuon(0.1), NorMuon(0.1, output_axis=-1)
    for grad in sequence:
        one.update(rows, {"W": grad})
        other.update(columns, {"W": grad.T})
    np.testing.assert_allclose(columns["W"].T, rows["W"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [AdamHyperball, MuonHyperball], ids=label)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 2)], ids=str)
def test_hyperball_keeps_the_norm_and_turns_by_the_rate(optimizer, shape):
    rng, rate = np.random.default_rng(0), 0.05
    rule, ours = optimizer(rate), {"W": rng.standard_normal(shape)}
    radius = np.linalg.norm(ours["W"])
    for _ in range(50):
        before = ours["W"].copy()
        rule.update(ours, {"W": 100 * rng.standard_normal(shape)})
        assert np.linalg.norm(ours["W"]) == pytest.approx(radius, rel=1e-12)
        assert math.acos(np.vdot(before, ours["W"]) / radius**2) <= math.asin(rate) + 1e-6


@pytest.mark.parametrize("optimizer", [AdamHyperball, MuonHyperball], ids=label)
def test_a_matrix_that_begins_at_zero_stays_there_without_a_nan(optimizer):
    ours = optimizer(0.1).update({"W": np.zeros((3, 2))}, {"W": np.ones((3, 2))})
    assert np.array_equal(ours["W"], np.zeros((3, 2)))
    assert np.array_equal(optimizer(0.1).update({"W": np.eye(2)}, {"W": np.zeros((2, 2))})["W"], np.eye(2))


# ---------------------------------------------------------------------- QK-clip


def heads_of(weight, x, heads):
    return (x @ weight.T).reshape(1, len(x), heads, -1).swapaxes(1, 2)


def test_qk_clip_brings_the_largest_logit_of_each_head_down_to_tau():
    """Held to attention itself, computed anew from the clipped weights; a head below the threshold stays."""
    rng = np.random.default_rng(0)
    x, w_q, w_k = rng.standard_normal((7, 5)), *rng.standard_normal((2, 6, 5))
    w_q[:2] *= 30
    before = largest_logits(heads_of(w_q, x, 3), heads_of(w_k, x, 3))
    assert before[0] > 20 > before[1:].max()
    kept = w_q[2:].copy()
    gamma = qk_clip(w_q, w_k, before, tau=20.0)
    after = largest_logits(heads_of(w_q, x, 3), heads_of(w_k, x, 3))
    assert after == pytest.approx([20.0, before[1], before[2]], rel=1e-12)
    assert gamma == pytest.approx([20 / before[0], 1, 1])
    assert np.array_equal(w_q[2:], kept)


def test_qk_clip_takes_views_biases_and_weights_stored_the_other_way():
    fused, other = np.ones((6, 3), np.float32), np.ones((3, 2))
    qk_clip(fused[:2], fused[2:4], [400.0, 1.0])
    assert fused[:, 0].tolist() == [0.5, 1.0, 0.5, 1.0, 1.0, 1.0]
    qk_clip(other, other.copy(), [1.0, 400.0], output_axis=-1)
    assert other[0].tolist() == [1.0, 0.5]
    bias = np.ones(4)
    qk_clip(bias, bias.copy(), [400.0, -5.0])
    assert bias.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert qk_clip(np.ones((2, 2)), np.ones((2, 2)), [np.nan]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("weight", "logits", "more", "message"),
    [
        (np.ones((5, 2)), [1.0, 2.0], {}, "queries must have outputs that 2 heads share alike, got 5"),
        (np.ones((4, 2)), 1.0, {}, "largest_logits must be one number for each head, got the shape"),
        (np.ones((4, 2)), [1.0], {"tau": 0.0}, "tau must be a positive number, got 0.0"),
        (np.ones((4, 2)), [1.0], {"output_axis": 1}, "output_axis must be 0 or -1, got 1"),
        (np.ones((4, 2), int), [1.0], {}, "queries must be an array of floating-point numbers"),
        (np.broadcast_to(1.0, (4, 2)), [1.0], {}, "queries must be writeable"),
    ],
)
def test_qk_clip_refuses_what_it_cannot_scale_with_nothing_changed(weight, logits, more, message):
    before = weight.copy()
    with pytest.raises(ValueError, match=message):
        qk_clip(weight, np.ones((4, 2)), logits, **more)
    assert np.array_equal(weight, before)


def test_the_largest_logits_need_activations_of_heads():
    with pytest.raises(ValueError, match="queries and keys must be of shape"):
        largest_logits(np.ones((2, 3)), np.ones((2, 3)))
