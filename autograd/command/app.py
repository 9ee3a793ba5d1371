"""The commands. Each takes a formula, or a function of a file, and the numbers of its variables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from .. import functions
from ..arguments import parameters
from ..check import gradcheck
from ..derivatives import hessian as second_derivatives
from ..drawing import draw as drawing
from ..errors import AutogradError, InputError
from ..explaining import explain as explanation
from ..language import checked, language, languages
from ..stepping import steps as logged
from ..value import Value
from .arguments import Question, callable_of, question
from .expression import unknown


def _checked(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    try:
        return None if name is None else checked(name)
    except AutogradError as error:
        raise click.BadParameter(str(error)) from None


class _Commands(click.Group):
    """Errors of the library are said in a line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AutogradError as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: autograd explain 'x*sin(y) + y**2' x=2 y=0.5",
)
@click.version_option(package_name="scalar-autograd", prog_name="autograd")
def app() -> None:
    """Differentiate a formula, or a function of a Python file; draw, explain and check its derivatives.

    WHAT is a formula such as 'x*sin(y) + y**2', or path.py:function, whose file is run. Each variable needs a
    number: x=2, or a formula without variables: x=pi/4. A function of a file may take lists: w='[1, 2]'.
    Before a formula that begins with a minus sign, write --.
    """


def command(written: Callable[..., None]) -> click.Command:
    """A command of a formula: it gets the question, and ``--lang`` holds inside."""

    @click.argument("what", metavar="WHAT")
    @click.argument("numbers", metavar="[NAME=NUMBER]...", nargs=-1)
    @click.option("--lang", callback=_checked, metavar="|".join(languages()), help="The language of the texts.")
    def run(what: str, numbers: Sequence[str], lang: str | None, **options: Any) -> None:
        with language(lang):
            written(question(what, numbers), **options)

    run.__doc__ = written.__doc__
    run.__click_params__ = [*getattr(written, "__click_params__", []), *run.__click_params__]  # type: ignore[attr-defined]
    return app.command(
        written.__name__.strip("_"), context_settings={"ignore_unknown_options": False, "allow_interspersed_args": True}
    )(run)


as_json = click.option("--json", "in_json", is_flag=True, help="Print JSON.")
to_lesson = click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Save the lesson, a page that steps through it."
)


def _lesson(root: Value, path: Path | None) -> None:
    if path is not None:
        click.echo(logged(root).save(path if path.suffix.lower() == ".html" else path.with_name(path.name + ".html")))


@command
@click.option("--second", is_flag=True, help="The second derivatives too.")
@to_lesson
@as_json
def grad(asked: Question, second: bool, html: Path | None, in_json: bool) -> None:
    """The value and its derivatives."""
    root, leaves = asked.recorded()
    root.backward()
    slopes = {str(leaf.name): leaf.grad for leaf in leaves}
    found: dict[str, Any] = {"value": root.data, "grad": slopes}
    if second:
        numbers = [leaf.data for leaf in leaves]
        rows = second_derivatives(lambda xs: _from_flat(asked, xs))(numbers)
        found["hessian"] = {a: dict(zip(slopes, row, strict=True)) for a, row in zip(slopes, rows, strict=True)}
    if in_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(f"{asked.text} = {root.data!r}")
        for name, slope in slopes.items():
            click.echo(f"∂/∂{name} = {slope!r}")
        for k, (a, row) in enumerate(found.get("hessian", {}).items()):
            for b, x in list(row.items())[k:]:
                click.echo(f"∂²/∂{a}² = {x!r}" if a == b else f"∂²/∂{a}∂{b} = {x!r}")
    _lesson(root, html)


def _from_flat(asked: Question, xs: Sequence[Any]) -> Any:
    """The function on numbers in one list."""
    given = iter(xs)

    def again(x: Any) -> Any:
        return [again(item) for item in x] if isinstance(x, list) else next(given)

    return asked.function(*(again(x) for x in asked.numbers))


@command
@click.option("--wrt", multiple=True, metavar="NAME", help="The variable; all of them if none is named.")
@click.option("--as", "style", type=click.Choice(["text", "latex", "markdown"]), default="text", show_default=True)
@to_lesson
@as_json
def explain(asked: Question, wrt: Sequence[str], style: str, html: Path | None, in_json: bool) -> None:
    """Why each derivative is what it is: the chain rule with its numbers, its paths, and what makes it 0."""
    root, leaves = asked.recorded()
    named = {str(leaf.name): leaf for leaf in leaves}
    wrong = unknown(wrt, named, asked.text)
    if wrong is not None:
        raise wrong
    texts = {}
    for name in wrt or named:
        made = explanation(root, named[name])
        texts[name] = str(made) if style == "text" else made.latex() if style == "latex" else made.markdown()
    click.echo(json.dumps(texts, ensure_ascii=False) if in_json else "\n\n".join(texts.values()))
    _lesson(root, html)


@command
@click.option("--play", is_flag=True, help="Step through it in the terminal.")
@to_lesson
@as_json
def steps(asked: Question, play: bool, html: Path | None, in_json: bool) -> None:
    """Every step of the forward pass and of the reverse sweep."""
    from ..stepping.record import written

    root, _ = asked.recorded()
    log = logged(root)
    if play:
        log.play()
    elif in_json:
        click.echo("".join(written(log)))
    elif html is None:
        for line in log.text():
            click.echo(line)
    _lesson(root, html)


@command
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("graph.svg"), show_default=True,
    help="The file: .svg, .png, .pdf or .dot.",
)  # fmt: skip
@to_lesson
def draw(asked: Question, out: Path, html: Path | None) -> None:
    """The graph with its numbers, as a picture."""
    root, _ = asked.recorded()
    root.backward()
    click.echo(drawing(root).save(out))
    _lesson(root, html)


@command
def check(asked: Question) -> None:
    """Compare the derivatives with measured ones; the exit code is 1 if they differ."""
    report = gradcheck(asked.function, *asked.numbers)
    click.echo(str(report))
    if not report:
        sys.exit(1)


@app.command(context_settings={"allow_interspersed_args": True})
@click.argument("what", metavar="WHAT")
@click.option("--to", "to", type=click.Choice(["python", "c", "javascript"]), default="python", show_default=True)
@click.option(
    "--kind",
    type=click.Choice(["value", "grad", "value_and_grad", "hessian", "value_grad_and_hessian"]),
    default="value_and_grad",
    show_default=True,
)
@click.option("--wrt", multiple=True, metavar="NAME", help="The variable; all of them if none is named.")
def export(what: str, to: str, kind: str, wrt: Sequence[str]) -> None:
    """Write the value and its derivatives as source code; no numbers are needed."""
    from ..compiling import compile

    function = callable_of(what)
    names = parameters(function)
    wrong = unknown(wrt, names, what)
    if wrong is not None:
        raise wrong
    if not names:
        raise InputError(f"{what} has no variables")
    chosen = tuple(names.index(name) for name in dict.fromkeys(wrt)) or tuple(range(len(names)))
    argnums = chosen[0] if len(names) == 1 else chosen
    click.echo(compile(function).source(to, kind=kind, argnums=argnums), nl=False)


@app.command("functions")
def list_functions() -> None:
    """The functions that formulas may use."""
    click.echo("  ".join(functions.__all__))


@app.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands in a shell: eval "$(autograd completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(app, {}, "autograd", "_AUTOGRAD_COMPLETE").source())


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # replaced by something that is no file
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal may be unable to show ∂
    app(prog_name="autograd")
