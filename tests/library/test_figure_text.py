"""Making a figure's SVG compact must not touch the words in it."""

from optim_lib import plotting


def test_a_title_keeps_its_spaces():
    figure = plotting.lines(
        [0, 1], {"loss": [0, 1]}, xlabel="step; of many", ylabel="loss", title="saddle: up and down"
    )
    page = plotting.show(figure, alt="A line.", caption="A line.").html
    assert "saddle: up and down" in page
    assert "step; of many" in page


def test_styles_are_still_compact():
    figure = plotting.lines([0, 1], {"loss": [0, 1]}, xlabel="step", ylabel="loss")
    assert 'style="stroke: ' not in plotting.show(figure, alt="A line.", caption="A line.").html
