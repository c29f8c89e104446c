"""``argparse``: a required argument, which a script that is recorded is not given, is a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.recording import note


def _parsing(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(parser: Any, args: Any = None, namespace: Any = None) -> Any:
        if not args:
            for group in parser._mutually_exclusive_groups:
                group.required = False
            for action in parser._actions:
                if action.required:
                    _make_optional(action)
        return original(parser, args, namespace)

    return parse


def _make_optional(action: Any) -> None:
    name = "/".join(action.option_strings) or action.dest
    where = trace.user_location()
    note(f"{where}: the command-line argument {name} is not given; a stand-in is used")
    fix = "give it a default in the script: it is run without arguments"
    action.required = False
    action.default = Absent(Source(f"the command-line argument {name}", where, fix))
    if not action.option_strings:
        action.nargs = "?"


REPLACED: dict[str, Callable[[Any], Any]] = {
    "ArgumentParser.parse_args": _parsing,
    "ArgumentParser.parse_known_args": _parsing,
}
