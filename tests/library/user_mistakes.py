"""What a checker of types should find before it is run: each line marked is an error. See test_types."""

from optim_lib.optimizers import SGD, Adam, Muon, ParameterGroups, clip_by_value

Adam(beta3=1)  # wrong
SGD(0.1, 0.0, 0.9)  # wrong
SGD(learning_rate="fast")  # wrong
Muon(output_axis=0.5)  # wrong
SGD().update(3, {})  # wrong
ParameterGroups([SGD()])  # wrong
clip_by_value({})  # wrong
