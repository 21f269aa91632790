"""Commands around the exercises: ``python -m exercises --help``."""

import argparse
import sys
from pathlib import Path

from exercises import record
from exercises.registry import chapters, get
from exercises.student import progress


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (OSError, KeyError, ValueError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"python -m exercises: {message}", file=sys.stderr)
        return 1


def _list(options: argparse.Namespace) -> int:
    for number, title, exercises in chapters():
        print(f"{number:>2} {title}")
        for exercise in exercises:
            print(f"   {exercise.id:<5} {exercise.title} ({exercise.points} points)")
    return 0


def _progress(options: argparse.Namespace) -> int:
    print(progress())
    print(f"Kept in {record.path()}")
    return 0


def _export(options: argparse.Namespace) -> int:
    if options.file.exists() and not options.force:
        raise FileExistsError(f"{options.file} exists; --force overwrites it")
    options.file.write_text(record.export(), encoding="utf-8")
    print(f"{options.file}: written; python -m exercises import merges it into the progress of another place")
    return 0


def _import(options: argparse.Namespace) -> int:
    for file in options.files:
        try:
            notice = record.merge_in(file.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        print(notice or f"{file}: merged into {record.path()}")
    return 0


def _starter(options: argparse.Namespace) -> int:
    print(get(options.id).starter)
    return 0


def _solve(options: argparse.Namespace) -> int:
    from exercises import notebooks

    count = notebooks.solve(options.source, options.target, options.force)
    print(f"{options.target}: {count} exercises solved")
    return 0


def _sync(options: argparse.Namespace) -> int:
    from exercises import notebooks

    found = []
    for path in options.notebooks:
        if options.check:
            found += notebooks.problems(path)
        else:
            print(f"{path}: {'written' if notebooks.sync(path) else 'nothing to do'}")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def _grade(options: argparse.Namespace) -> int:
    import contextlib

    from exercises.classroom import run
    from exercises.classroom.marking import Settings

    settings = Settings(run.chosen(options.exercises, options.fast), seed=options.seed, by_student=options.variant)
    settings = run.with_limits(settings, options.seconds, options.memory)
    with contextlib.ExitStack() as stack:
        if options.backend == "dask":
            stack.enter_context(run.dask(options.scheduler, options.jobs))
        graded = run.command(
            options.folder, options.csv, options.report, settings=settings, jobs=options.jobs, regrade=options.regrade
        )
    if options.gradebook:
        from exercises.classroom import gradebooks

        filled = options.csv.with_name("gradebook.csv")
        missing = gradebooks.fill(options.gradebook, filled, graded, options.column)
        print(f"\n{filled} can be imported.", *missing, sep="\n  ")
    print(f"\n{options.csv} has a row for each student, {options.report / 'index.html'} the report.")
    return 0


def _reset(options: argparse.Namespace) -> int:
    if not options.yes and input(f"Start afresh? {record.path()} will be kept as a backup. [y/N] ").lower() != "y":
        print("Nothing changed.")
        return 1
    kept = record.reset()
    print(f"Progress is reset; the old one is kept as {kept}." if kept else "There is no progress to reset.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m exercises", description="The graded exercises of the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "list", _list, "list all exercises with their points")
    _add(commands, "progress", _progress, "show the points reached so far")
    _add(commands, "starter", _starter, "print the starter code of an exercise").add_argument("id", help="such as 8.2")
    export = _add(
        commands, "export", _export, "write the progress to a file, to carry it to another machine or browser"
    )
    export.add_argument("file", metavar="FILE", type=Path)
    export.add_argument("--force", action="store_true", help="overwrite FILE when it exists")
    imported = _add(commands, "import", _import, "merge exported progress into the one kept here; nothing is lost")
    imported.add_argument("files", metavar="FILE", type=Path, nargs="+")
    reset = _add(commands, "reset", _reset, "forget all progress; the file is kept as a backup")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    solve = _add(commands, "solve", _solve, "write a copy of a chapter's notebook with every exercise solved")
    solve.add_argument("source", metavar="SRC", type=Path)
    solve.add_argument("target", metavar="DST", type=Path)
    solve.add_argument("--force", action="store_true", help="overwrite DST when it exists")
    sync = _add(
        commands, "sync", _sync, "write statements, starters and expected outputs into chapters' notebooks, in place"
    )
    sync.add_argument("notebooks", metavar="NOTEBOOK", type=Path, nargs="+")
    sync.add_argument("--check", action="store_true", help="change nothing; fail when there is something to do")
    grade = _add(commands, "grade", _grade, "grade a folder of submissions: notebooks in any layout, one command")
    grade.add_argument("folder", metavar="FOLDER", type=Path, help="one folder, or one notebook, for each student")
    grade.add_argument("--csv", metavar="FILE", type=Path, default=Path("scores.csv"), help="scores (%(default)s)")
    grade.add_argument("--report", metavar="DIR", type=Path, default=Path("report"), help="report (%(default)s)")
    grade.add_argument("--exercises", metavar="N", nargs="+", default=[], help="chapters or exercises: 8 9.1 (all)")
    grade.add_argument("--fast", action="store_true", help="leave out those that train a lot: 12.4 and 13.4")
    grade.add_argument("--regrade", action="store_true", help="grade everything again, and say whose score changes")
    grade.add_argument("--seed", metavar="N", type=int, help="draw the checks' inputs anew from this number")
    grade.add_argument("--variant", action="store_true", help="other inputs for different students")
    grade.add_argument("--gradebook", metavar="FILE", type=Path, help="exported by Canvas or Moodle, to be filled")
    grade.add_argument("--column", metavar="NAME", default="Optimizers", help="of the points there (%(default)s)")
    grade.add_argument("--jobs", metavar="N", type=int, default=-1, help="processes (all cores)")
    grade.add_argument("--seconds", metavar="S", type=float, help="for one call of an answer (10)")
    grade.add_argument("--memory", metavar="GB", type=float, help="for one answer (4)")
    grade.add_argument("--backend", choices=["processes", "dask"], default="processes", help="where the work is done")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="of a running Dask cluster (a local one is started)")
    return parser


def _add(commands, name: str, function, help: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(command=function)
    return parser


if __name__ == "__main__":
    sys.exit(main())
