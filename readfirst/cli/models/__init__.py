"""`models …`: the laboratory. Trains, measures, explains, compares and promotes."""

import typer

from readfirst.cli.models import catalogue, explain, generate, measure, reference, train

app = typer.Typer(
    help="The laboratory: train, evaluate, explain, compare and promote.", no_args_is_help=True
)
app.command("list")(catalogue.list_models)
app.command()(catalogue.show)
app.command()(catalogue.compare)
app.command()(catalogue.promote)
app.command()(train.train)
app.command()(train.tune)
app.command()(train.transfer)
app.command()(measure.evaluate)
app.command()(reference.reference)
app.command()(explain.explain)
app.command()(generate.generate)
