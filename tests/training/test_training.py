"""A run records what it did, goes on where it was interrupted, and is the same in NumPy, in torch and in a sweep."""

import copy
import warnings
from functools import partial

import numpy as np
import pytest
import torch

from optim_lib.data import Dataset, Split, diabetes, digits
from optim_lib.networks import MLP
from optim_lib.optimizers import LAMB, LARS, SGD, Adam, MomentumSGD, RMSprop
from optim_lib.schedules import cosine_annealing, warmup_cosine
from optim_lib.training import (
    FromTorch,
    TorchModel,
    TorchOptimizer,
    checkpoints,
    evaluate,
    global_norm,
    train,
    train_sweep,
)
from tests.library.student import StudentMomentum

NETWORK = MLP((64, 12, 10))


@pytest.fixture(scope="module")
def data():
    """A few digits: enough to learn from, few enough to be quick."""
    whole = digits()
    parts = (whole.train, 200), (whole.validation, 60), (whole.test, 60)
    return Dataset("few digits", *(Split(part.x[:n], part.y[:n]) for part, n in parts), whole.features, 10)


class NewArrays:
    """A rule that makes new arrays instead of changing the ones it was given."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        return {name: p - self.learning_rate * grads[name] for name, p in params.items()}


def torch_twin(network, seed=0, dtype=torch.float64):
    """The same network in torch, at the same parameters."""
    layers = []
    for layer, (n_in, n_out) in enumerate(zip(network.sizes, network.sizes[1:], strict=False), start=1):
        linear = torch.nn.Linear(n_in, n_out, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(network.initialize(seed)[f"W{layer}"].T))
            linear.bias.zero_()
        layers += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


# ---------------------------------------------------------------- one run


def test_a_small_network_learns_the_digits():
    history = train(MLP((64, 32, 10)), Adam(learning_rate=0.003), digits(), epochs=10)
    assert history.validation_accuracies[-1] > 0.96
    assert history.train_losses[-1] < 0.1 < 2 < history.train_losses[0]
    assert history.losses.shape == history.learning_rates.shape == history.gradient_norms.shape == (340,)
    assert history.epochs.tolist() == list(range(11))
    assert history.seconds[0] == 0
    assert np.all(np.diff(history.seconds) > 0)


def test_the_records_are_those_of_the_run(data):
    history = train(NETWORK, SGD(0.3), data, epochs=2, batch_size=50, seed=4)
    params = NETWORK.initialize(4)
    assert history.train_losses[0] == NETWORK.loss(params, *data.train)
    assert history.validation_accuracies[0] == NETWORK.accuracy(params, *data.validation)
    order = np.random.default_rng([4, 1]).permutation(200)
    for step in range(4):
        batch = order[50 * step : 50 * step + 50]
        loss, grads = NETWORK.loss_and_gradients(params, data.train.x[batch], data.train.y[batch])
        assert history.losses[step] == loss
        assert history.gradient_norms[step] == pytest.approx(np.sqrt(sum((g**2).sum() for g in grads.values())))
        SGD(0.3).update(params, grads)
    assert history.train_losses[1] == NETWORK.loss(params, *data.train)
    assert evaluate(NETWORK, history.params, data.train)[0] == history.train_losses[-1]


def test_the_seed_decides_start_and_order_and_nothing_else_does(data):
    one, same, other = (train(NETWORK, SGD(0.1), data, epochs=2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.losses, same.losses)
    assert not np.allclose(one.losses, other.losses)
    first, second = np.sort(train(NETWORK, SGD(1e-300), data, epochs=2, seed=1).losses.reshape(2, -1))
    assert not np.allclose(first, second)  # another order in each epoch


def test_all_examples_at_once_is_gradient_descent():
    data, network = diabetes(), MLP((10, 1), loss="squared error")
    history = train(network, SGD(0.1), data, epochs=40, batch_size=None)
    params = network.initialize(0)
    x, y = data.train
    for _ in range(40):
        error = x @ params["W1"] + params["b1"] - y
        params = {"W1": params["W1"] - 0.1 * 2 / len(x) * x.T @ error, "b1": params["b1"] - 0.2 * error.mean()}
    np.testing.assert_allclose(history.params["W1"], params["W1"], rtol=1e-10)
    assert history.losses.size == 40
    assert np.isnan(history.validation_accuracies).all()


def test_steps_may_be_counted_instead_of_epochs(data):
    history = train(NETWORK, SGD(0.1), data, steps=10, batch_size=32)
    np.testing.assert_array_equal(history.losses, train(NETWORK, SGD(0.1), data, epochs=2, batch_size=32).losses[:10])
    assert history.epochs.tolist() == [0, 1, 10 / 7]


def test_given_parameters_are_the_start_and_stay_as_they_are(data):
    start = NETWORK.initialize(9)
    history = train(NETWORK, SGD(0.1), data, epochs=1, params=start)
    assert history.train_losses[0] == NETWORK.loss(NETWORK.initialize(9), *data.train)
    np.testing.assert_array_equal(start["W1"], NETWORK.initialize(9)["W1"])


@pytest.mark.parametrize("optimizer", [SGD(0.5), StudentMomentum(0.5)], ids=lambda o: type(o).__name__)
def test_a_schedule_sets_each_step_and_the_rate_is_put_back(data, optimizer):
    schedule = partial(cosine_annealing, total_epochs=3)
    history = train(NETWORK, optimizer, data, epochs=3, batch_size=50, schedule=schedule)
    np.testing.assert_allclose(history.learning_rates, cosine_annealing(0.5, np.arange(12) / 4, 3), rtol=1e-14)
    assert optimizer.learning_rate == 0.5


def test_a_schedule_needs_a_rate_to_set(data):
    class Rateless:
        def update(self, params, grads):
            return params

    with pytest.raises(TypeError, match="schedule needs an optimizer with a learning_rate"):
        train(NETWORK, Rateless(), data, schedule=lambda rate, epoch: rate)


def test_clipping_bounds_every_step(data):
    clip = 0.01
    free = train(NETWORK, SGD(1.0), data, steps=1)
    clipped = train(NETWORK, SGD(1.0), data, steps=1, clip_norm=clip)
    start = NETWORK.initialize(0)
    moved = {name: clipped.params[name] - start[name] for name in start}
    assert free.gradient_norms[0] == clipped.gradient_norms[0] > clip
    assert global_norm(moved) == pytest.approx(clip)
    loose = train(NETWORK, SGD(1.0), data, steps=1, clip_norm=100.0)
    np.testing.assert_array_equal(loose.params["W1"], free.params["W1"])


@pytest.mark.parametrize("rate", [1.0, 1e200])
def test_a_divergence_stops_the_run_and_is_told_without_a_warning(rate):
    data, network = diabetes(), MLP((10, 1), loss="squared error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = train(network, SGD(rate), data, epochs=500, batch_size=None)
    assert history.diverged_at is not None
    assert history.diverged_at < 60
    assert history.losses.size == history.diverged_at + 1
    assert np.isinf(history.losses[-1])
    assert np.isfinite(history.losses[:-1]).all()
    assert repr(history) == f"History(diverged after {history.diverged_at} steps)"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": SGD}, TypeError, "optimizer must be an object with update"),
        ({"model": "MLP"}, TypeError, "model must be an MLP or a torch.nn.Module, got str"),
        ({"epochs": 0}, ValueError, "epochs must be a positive number, got 0"),
        ({"epochs": float("nan")}, ValueError, "epochs must be a positive number, got nan"),
        ({"steps": 1.5}, ValueError, "steps must be a whole number of at least 1, got 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1, got 0"),
        ({"clip_norm": -1.0}, ValueError, "clip_norm must be a positive number, got -1.0"),
    ],
)
def test_bad_arguments_are_named(data, arguments, error, message):
    with pytest.raises(error, match=message):
        train(**{"model": NETWORK, "optimizer": SGD(0.1), "data": data} | arguments)


# ---------------------------------------------------------------- torch, and classes of students


def test_a_torch_module_takes_the_same_steps_as_the_network(data):
    module = torch_twin(NETWORK)
    ours, theirs = train(NETWORK, Adam(0.01), data, epochs=4), train(module, Adam(0.01), data, epochs=4)
    np.testing.assert_allclose(theirs.losses, ours.losses, rtol=1e-9)
    np.testing.assert_allclose(theirs.validation_losses, ours.validation_losses, rtol=1e-9)
    np.testing.assert_array_equal(theirs.validation_accuracies, ours.validation_accuracies)


def test_a_torch_module_takes_the_same_steps_as_with_torchs_optimizer(data):
    module = torch_twin(NETWORK, dtype=torch.float32)
    twin = copy.deepcopy(module)
    train(module, MomentumSGD(0.1, 0.9), data, epochs=1, seed=3)
    reference = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    order = np.random.default_rng([3, 1]).permutation(200)
    for start in range(0, 200, 32):
        batch = order[start : start + 32]
        reference.zero_grad()
        outputs = twin(torch.tensor(data.train.x[batch], dtype=torch.float32))
        torch.nn.functional.cross_entropy(outputs, torch.tensor(data.train.y[batch])).backward()
        reference.step()
    for mine, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "optimizer", [Adam(0.01), StudentMomentum(0.05), NewArrays(0.3)], ids=lambda o: type(o).__name__
)
def test_a_torch_module_is_trained_in_its_own_memory(data, optimizer):
    module = torch_twin(NETWORK, dtype=torch.float32)
    places = [p.data_ptr() for p in module.parameters()]
    history = train(module, optimizer, data, epochs=5)
    assert [p.data_ptr() for p in module.parameters()] == places
    assert history.params["0.weight"].__array_interface__["data"][0] == places[0]
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    assert history.train_losses[-1] < 0.5 * history.train_losses[0]
    with torch.no_grad():
        outputs = module(torch.tensor(data.train.x, dtype=torch.float32))
    loss = torch.nn.functional.cross_entropy(outputs, torch.tensor(data.train.y)).item()
    assert loss == pytest.approx(history.train_losses[-1], rel=1e-5)


def test_frozen_and_unused_parameters_are_left_alone(data):
    module = torch_twin(NETWORK, dtype=torch.float32)
    module[0].weight.requires_grad_(False)
    module.unused = torch.nn.Parameter(torch.ones(3))
    module.forward = lambda x: torch.nn.Sequential.forward(torch.nn.Sequential(*list(module.children())), x)
    frozen = module[0].weight.clone()
    history = train(module, Adam(0.01), data, epochs=1)
    assert torch.equal(module[0].weight, frozen)
    assert torch.equal(module.unused.detach(), torch.ones(3))
    assert "0.weight" not in history.params


def test_evaluation_switches_dropout_off_and_training_on_again(data):
    module = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Dropout(0.5), torch.nn.Linear(32, 10))
    model = TorchModel(module)
    assert model.loss({}, *data.test) == model.loss({}, *data.test)
    assert module.training
    history = train(module, Adam(0.01), data, epochs=1)
    assert history.train_losses[-1] == pytest.approx(model.loss({}, *data.train), rel=1e-6)


def test_targets_that_are_numbers_get_the_mean_squared_error():
    data = diabetes()
    module = torch.nn.Linear(10, 1, dtype=torch.float64)
    start = {"W1": module.weight.detach().numpy().T.copy(), "b1": module.bias.detach().numpy()[None].copy()}
    theirs = train(module, SGD(0.05), data, epochs=3)
    ours = train(MLP((10, 1), loss="squared error"), SGD(0.05), data, epochs=3, params=start)
    np.testing.assert_allclose(theirs.losses, ours.losses, rtol=1e-10)


def test_a_loss_of_ones_own(data):
    def margin(outputs, targets):
        return torch.nn.functional.multi_margin_loss(outputs, targets)

    history = train(TorchModel(torch_twin(NETWORK), loss=margin), Adam(0.01), data, epochs=8)
    assert history.train_losses[-1] < 0.3 * history.train_losses[0]
    assert history.validation_accuracies[-1] > 0.8


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TorchModel(3), TypeError, "module must be a torch.nn.Module, got int"),
        (lambda: TorchModel(torch.nn.ReLU()), ValueError, "module must have parameters to train, got none"),
        (lambda: TorchModel(torch.nn.Linear(2, 2, device="meta")), ValueError, "module must be on the CPU"),
    ],
)
def test_modules_that_cannot_be_trained_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(("mine", "ours"), [(StudentMomentum(0.05), MomentumSGD(0.05)), (NewArrays(0.2), SGD(0.2))])
def test_a_students_class_trains_like_the_librarys(data, mine, ours):
    np.testing.assert_allclose(
        train(NETWORK, mine, data, epochs=3).losses, train(NETWORK, ours, data, epochs=3).losses, rtol=1e-9
    )


@pytest.mark.parametrize("kind", ["network", "torch"])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (partial(TorchOptimizer, torch.optim.Adam, learning_rate=0.01), partial(Adam, 0.01)),
        (FromTorch(torch.optim.Adam), partial(Adam, 0.001)),
        (partial(FromTorch(torch.optim.SGD), learning_rate=0.1, momentum=0.9), partial(MomentumSGD, 0.1, 0.9)),
    ],
)
def test_torchs_optimizers_train_like_ours(data, kind, theirs, ours):
    def model():
        return NETWORK if kind == "network" else torch_twin(NETWORK)

    schedule = partial(cosine_annealing, total_epochs=3)
    mine, other = (train(model(), make(), data, epochs=3, schedule=schedule) for make in (ours, theirs))
    np.testing.assert_allclose(other.losses, mine.losses, rtol=1e-9)
    np.testing.assert_allclose(other.learning_rates, mine.learning_rates, rtol=1e-14)


def test_torchs_optimizer_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="Invalid learning rate"):
        TorchOptimizer(torch.optim.Adam, learning_rate=-1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        TorchOptimizer(torch.optim.SGD, beta1=0.9)
    optimizer, params = TorchOptimizer(torch.optim.SGD, 0.1), {"w": np.ones(2)}
    optimizer.update(params, {"w": np.ones(2)})
    with pytest.raises(ValueError, match=r"params\['w'\] must be the array of the first step"):
        optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)})


class Sequence(torch.nn.Module):
    """What comes next, from what is there."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(5, 5, dtype=torch.float64)

    def forward(self, x):
        return self.table(x)


def test_each_place_of_a_sequence_is_an_example():
    x = np.random.default_rng(0).integers(0, 5, (60, 7))
    split = Split(x, (x + 1) % 5)
    module = Sequence()
    history = train(module, Adam(0.1), Dataset("counting", split, split, split, (), 5), epochs=30)
    assert history.validation_accuracies[-1] == 1
    logits = module.table.weight.detach().numpy()[x]
    likely = np.take_along_axis(logits, split.y[..., None], -1)[..., 0] - np.log(np.exp(logits).sum(-1))
    assert history.train_losses[-1] == pytest.approx(-likely.mean())


# ---------------------------------------------------------------- checkpoints


def noisy_module():
    """Buffers that move and a layer that draws: more to remember than parameters."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(64, 12), torch.nn.BatchNorm1d(12), torch.nn.Dropout(0.5), torch.nn.Linear(12, 10)
    )


def test_a_module_with_random_layers_and_buffers_goes_on_bit_for_bit(data, tmp_path):
    schedule = partial(cosine_annealing, total_epochs=4)
    torch.manual_seed(1)
    whole = train(noisy_module(), Adam(0.01), data, epochs=4, schedule=schedule)
    module, file = noisy_module(), tmp_path / "run.npz"
    with pytest.raises(Interrupted):
        train(module, Adam(0.01), data, epochs=4, checkpoint=file, schedule=interrupted_after(schedule, 17))
    torch.manual_seed(2)
    resumed = train(noisy_module(), Adam(0.01), data, epochs=4, checkpoint=file, schedule=schedule)
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    np.testing.assert_array_equal(resumed.validation_losses, whole.validation_losses)


def test_the_seed_decides_what_dropout_draws_and_torchs_own_numbers_go_on_undisturbed(data):
    torch.manual_seed(5)
    expected = torch.rand(3)
    first = train(noisy_module(), Adam(0.01), data, epochs=1, seed=3)
    torch.manual_seed(5)
    other = train(model := noisy_module(), Adam(0.01), data, epochs=1, seed=3)
    torch.manual_seed(5)
    TorchModel(model).loss_and_gradients({}, *data.train)
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(first.losses, other.losses)
    assert not np.array_equal(first.losses, train(noisy_module(), Adam(0.01), data, epochs=1, seed=4).losses)


class Interrupted(Exception):
    pass


def interrupted_after(schedule, steps):
    """The same schedule, which stops the run in the middle of things."""
    count = iter(range(steps))

    def rate(initial, epoch):
        if next(count, None) is None:
            raise Interrupted
        return schedule(initial, epoch)

    return rate


@pytest.mark.parametrize("make", [lambda: Adam(0.01), lambda: MomentumSGD(0.1), lambda: StudentMomentum(0.1)])
@pytest.mark.parametrize("kind", ["network", "torch"])
def test_a_run_goes_on_bit_for_bit_after_an_interruption(data, tmp_path, make, kind):
    def model():
        return NETWORK if kind == "network" else torch_twin(NETWORK, dtype=torch.float32)

    schedule = partial(warmup_cosine, total_epochs=5, warmup_epochs=2)
    whole = train(model(), make(), data, epochs=5, schedule=schedule)
    file = tmp_path / "run.npz"
    with pytest.raises(Interrupted):
        train(model(), make(), data, epochs=5, checkpoint=file, schedule=interrupted_after(schedule, 17))
    assert file.exists()
    resumed = train(model(), make(), data, epochs=5, checkpoint=file, schedule=schedule)
    for name in ("losses", "learning_rates", "gradient_norms", "train_losses", "validation_accuracies", "epochs"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name), err_msg=name)
    for name, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], array)


def test_a_finished_run_can_be_made_longer(data, tmp_path):
    file = tmp_path / "run.npz"
    train(NETWORK, Adam(0.01), data, steps=10, checkpoint=file)  # ends within an epoch
    longer = train(NETWORK, Adam(0.01), data, steps=25, checkpoint=file)
    np.testing.assert_array_equal(longer.losses, train(NETWORK, Adam(0.01), data, steps=25).losses)
    again = train(NETWORK, Adam(0.01), data, steps=25, checkpoint=file)
    np.testing.assert_array_equal(again.losses, longer.losses)


def test_a_diverged_run_stays_diverged(tmp_path):
    data, network, file = diabetes(), MLP((10, 1), loss="squared error"), tmp_path / "run.npz"
    first, second = (train(network, SGD(1.0), data, batch_size=None, epochs=500, checkpoint=file) for _ in range(2))
    assert first.diverged_at == second.diverged_at is not None
    np.testing.assert_array_equal(first.losses, second.losses)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"optimizer": Adam(0.02)}, "optimizer"),
        ({"optimizer": SGD(0.01)}, "optimizer"),
        ({"seed": 1}, "seed"),
        ({"batch_size": 16}, "batch_size"),
        ({"model": MLP((64, 13, 10))}, "model"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(data, tmp_path, change, named):
    file = tmp_path / "run.npz"
    same = {"model": NETWORK, "optimizer": Adam(0.01), "data": data, "epochs": 1, "checkpoint": file}
    train(**same)
    with pytest.raises(ValueError, match=f"must be of this run, but it differs in {named}"):
        train(**same | change)


def test_a_broken_checkpoint_is_named_and_kept(data, tmp_path):
    file = tmp_path / "run.npz"
    file.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"run\.npz must be a file that train wrote"):
        train(NETWORK, SGD(0.1), data, epochs=1, checkpoint=file)
    assert file.read_bytes() == b"not an archive"


def test_a_checkpoint_is_written_whole_or_not_at_all(data, tmp_path, monkeypatch):
    file = tmp_path / "run.npz"
    train(NETWORK, SGD(0.1), data, epochs=1, checkpoint=file)
    before = file.read_bytes()

    def fails_half_way(stream, **arrays):
        stream.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(checkpoints.np, "savez", fails_half_way)
    with pytest.raises(OSError, match="no space left"):
        train(NETWORK, SGD(0.1), data, epochs=2, checkpoint=file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_saved_is_named(data, tmp_path):
    optimizer = NewArrays(0.1)
    optimizer.notes = object()
    with pytest.raises(TypeError, match="the optimizer has a object"):
        train(NETWORK, optimizer, data, epochs=1, checkpoint=tmp_path / "run.npz")


# ---------------------------------------------------------------- many runs


@pytest.mark.parametrize("rule", [SGD, MomentumSGD, RMSprop, Adam, LARS, LAMB])
@pytest.mark.parametrize("schedule", [None, partial(cosine_annealing, total_epochs=2)], ids=["constant", "cosine"])
def test_a_sweep_is_its_runs_one_by_one(data, rule, schedule):
    rates, seeds = [0.003, 0.03], (0, 5)
    grid = train_sweep(NETWORK, rule, data, epochs=2, seeds=seeds, schedule=schedule, learning_rate=rates)
    assert grid.vectorized
    assert grid.axes["learning_rate"].tolist() == rates
    for i, rate in enumerate(rates):
        for j, seed in enumerate(seeds):
            one = train(NETWORK, rule(learning_rate=rate), data, epochs=2, seed=seed, schedule=schedule)
            np.testing.assert_allclose(grid.losses[i, j], one.losses, rtol=1e-9)
            for name in ("train_losses", "validation_losses", "validation_accuracies"):
                np.testing.assert_allclose(getattr(grid, name)[i, j], getattr(one, name), rtol=1e-9)
            for name, array in one.params.items():
                np.testing.assert_allclose(grid.params[name][i, j], array, rtol=1e-6, atol=1e-10)


def test_a_grid_of_two_hyperparameters_has_its_axes_in_order(data):
    grid = train_sweep(NETWORK, MomentumSGD, data, epochs=1, momentum=[0.0, 0.5, 0.9], learning_rate=[0.01, 0.1])
    assert list(grid.axes) == ["momentum", "learning_rate"]
    assert grid.train_losses.shape == (3, 2, 1, 2)
    one = train(NETWORK, MomentumSGD(learning_rate=0.1, momentum=0.5), data, epochs=1)
    np.testing.assert_allclose(grid.losses[1, 1, 0], one.losses, rtol=1e-9)


def test_without_an_axis_a_sweep_is_over_seeds(data):
    grid = train_sweep(NETWORK, SGD, data, epochs=1, seeds=range(3), learning_rate=0.1)
    assert grid.train_losses.shape == (3, 2)
    assert grid.params["W1"].shape == (3, 64, 12)


def test_a_students_class_is_swept_one_by_one(data):
    settings = {"epochs": 1, "seeds": (0, 1), "learning_rate": [0.01, 0.1], "momentum": 0.8}
    mine, ours = (train_sweep(NETWORK, rule, data, **settings) for rule in (StudentMomentum, MomentumSGD))
    assert not mine.vectorized
    np.testing.assert_allclose(mine.losses, ours.losses, rtol=1e-9)
    np.testing.assert_allclose(mine.train_losses, ours.train_losses, rtol=1e-9)
    assert mine.params["W1"].shape == ours.params["W1"].shape == (2, 2, 64, 12)


def test_torch_modules_are_swept_one_by_one(data):
    grid = train_sweep(lambda seed: torch_twin(NETWORK, seed), SGD, data, epochs=1, seeds=(0, 1), learning_rate=[0.1])
    ours = train_sweep(NETWORK, SGD, data, epochs=1, seeds=(0, 1), learning_rate=[0.1])
    np.testing.assert_allclose(grid.losses, ours.losses, rtol=1e-8)


@pytest.mark.parametrize("rule", [SGD, NewArrays])
def test_divergence_in_a_sweep_is_told_for_each_run(rule):
    data, network = diabetes(), MLP((10, 1), loss="squared error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grid = train_sweep(network, rule, data, epochs=300, batch_size=None, learning_rate=[0.05, 1.0, 1e200])
    one = train(network, rule(learning_rate=1.0), data, epochs=300, batch_size=None)
    assert grid.diverged_at[:, 0].tolist()[:2] == [-1, one.diverged_at]
    assert 0 < grid.diverged_at[2, 0] <= 3
    assert np.isfinite(grid.train_losses[0]).all()
    assert np.isinf(grid.train_losses[1:, 0, -1]).all()
    assert np.isinf(grid.losses[1, 0, one.diverged_at :]).all()
    assert np.isfinite(grid.losses[1, 0, : one.diverged_at]).all()


def test_bad_sweeps_are_refused(data):
    with pytest.raises(
        ValueError, match=r"learning_rate must be a number or a one-dimensional array, got shape \(1, 2\)"
    ):
        train_sweep(NETWORK, SGD, data, learning_rate=[[0.1, 0.2]])
    with pytest.raises(TypeError, match="optimizer must be a class, such as Adam"):
        train_sweep(NETWORK, SGD(0.1), data)
    with pytest.raises(ValueError, match="seeds must have at least one seed"):
        train_sweep(NETWORK, SGD, data, seeds=())
