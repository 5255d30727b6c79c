"""Writes what one vLLM's argument parser knows, as JSON: every flag of `vllm serve`, read from the parser itself.

PYTHON scripts/dump-flags.py [FILE], with the Python of an environment that has vLLM; needs no GPU.
`npm run flags -- FILE` makes the catalogue of it, and so does `qwen-deploy engine sync-flags`, which runs this file.
Read on the CPU platform; the few flags that differ elsewhere are carried over from the catalogue before. Text of help
is not kept.
"""

import argparse
import contextlib
import dataclasses
import enum
import inspect
import json
import os
import re
import sys
import types
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "flags"))
writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # this directory may be anybody's
from real_parser import build_parsers, force_cpu, import_first  # noqa: E402

sys.dont_write_bytecode = writes_bytecode

TAG = re.compile(r"<<(\w+)\.(\w+)>>")
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", typing.Any: "any"}


def tag_sources(arg_utils, classes):
    """Which field of which class a flag feeds is known only while the parser is built: it is left in the help text."""
    original = arg_utils.get_kwargs

    def tagged(cls):
        classes[cls.__name__] = cls
        kwargs = original(cls)
        for name, entry in kwargs.items():
            entry["help"] = f"<<{cls.__name__}.{name}>> " + (entry.get("help") or "")
        return kwargs

    arg_utils.get_kwargs = tagged


def type_hints_of(cls, cache={}):
    if cls not in cache:
        try:
            cache[cls] = typing.get_type_hints(cls, include_extras=True)
        except Exception:  # names that only type checkers import
            cache[cls] = dict(getattr(cls, "__annotations__", {}))
    return cache[cls]


def members(hint):
    """The parts of a union, without annotations."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return members(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return [part for one in typing.get_args(hint) for part in members(one)]
    return [hint]


def type_name(hint):
    names = []
    for part in members(hint):
        origin, args = typing.get_origin(part), typing.get_args(part)
        if part in NAMES:
            name = NAMES[part]
        elif origin is typing.Literal:
            name = "integer" if all(isinstance(arg, int) for arg in args) else "string"
        elif origin in (list, set, tuple, frozenset):
            name = f"list<{type_name(args[0])}>" if args else "list"
        elif origin is dict:
            name = f"map<{type_name(args[0])},{type_name(args[1])}>"
        elif part in (list, tuple, set):
            name = "list"
        elif part is dict:
            name = "map"
        elif inspect.isclass(part) and issubclass(part, enum.Enum):
            name = "string|integer" if is_counted(part) else "string"
        else:
            name = getattr(part, "__name__", None) or re.sub(r"[^\w].*", "", str(part))
            name = {"Callable": "callable", "object": "any"}.get(name, name)
        if name not in names:
            names.append(name)
    return "|".join(names)


def literals(hint):
    return [value for part in members(hint) if typing.get_origin(part) is typing.Literal for value in typing.get_args(part)]


def enum_of(hint):
    return next((part for part in members(hint) if inspect.isclass(part) and issubclass(part, enum.Enum)), None)


def is_counted(member):
    return any(isinstance(one.value, int) for one in member)


def names_of(member):
    """What a person writes: the value where it is the name in small letters, else the name."""
    return [one.value if one.value == one.name.lower() else one.name for one in member]


def dataclass_of(hint):
    return next((part for part in members(hint) if dataclasses.is_dataclass(part)), None)


def bounds_of(field, hint):
    found = {}
    metadata = list(getattr(field.default, "metadata", None) or [])
    for part in [hint, *(members(hint) if typing.get_origin(hint) is not typing.Annotated else [])]:
        for extra in typing.get_args(part)[1:] if typing.get_origin(part) is typing.Annotated else ():
            metadata += list(getattr(extra, "metadata", None) or [extra])
    for entry in metadata:
        for key in ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length"):
            value = getattr(entry, key, None)
            if isinstance(value, (int, float)):
                found[key] = value
    return found


def extra_of(cls):
    config = getattr(cls, "__pydantic_config__", None) or getattr(cls, "model_config", None) or {}
    return config.get("extra", "ignore")


def describe_fields(cls, own, seen=()):
    """Without the inside of classes that have flags of their own."""
    hints = type_hints_of(cls)
    out = []
    for field in dataclasses.fields(cls):
        if not field.init or field.name.startswith("_"):
            continue
        hint = hints.get(field.name, field.type)
        entry = {"name": field.name, "type": type_name(hint)}
        choices = literals(hint)
        member = enum_of(hint)
        if choices or member:
            entry["choices"] = choices or names_of(member)
        if bounds := bounds_of(field, hint):
            entry["bounds"] = bounds
        inner = dataclass_of(hint)
        if inner is not None and inner not in seen and inner is not cls and inner.__name__ not in own:
            entry["fields"] = describe_fields(inner, own, (*seen, cls))
            entry["extra"] = extra_of(inner)
        out.append(entry)
    return out


def plain(value):
    if isinstance(value, enum.Enum):
        return value.value if is_counted(type(value)) else names_of([value])[0]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return None


def reads_environment(cls, name):
    """Whether the class takes its default from a variable."""
    for base in cls.__mro__:
        with contextlib.suppress(OSError, TypeError):
            if re.search(rf"(?m)^    {name}\s*:[^=\n]*=[^\n]*\benvs\.", inspect.getsource(base)):
                return True
    return False


def unwrap(convert):
    """The innermost callable of what argparse is given, and the class that a JSON value becomes."""
    cls = None
    while inspect.isfunction(convert):
        inner = dict(zip(convert.__code__.co_freevars, [cell.cell_contents for cell in convert.__closure__ or ()]))
        if convert.__name__ == "parse_dataclass":
            cls = convert.__defaults__[0]
            break
        following = inner.get("return_type")
        if following is None:
            break
        convert = following
    return convert, cls


def converts(action, word):
    try:
        value = action.type(word) if callable(action.type) else word
        if action.choices is not None and value not in [one for one in action.choices if one != "None"]:
            return (False, None)
        return (True, value)
    except Exception:
        return (False, None)


def switch_words(parser, action):
    """Every spelling is called and sorted by what it stores; some are not shown in help (0.33)."""
    on, off = [], []
    hidden = [word for word, one in parser._option_string_actions.items() if one is action and word not in action.option_strings]
    for word in [*action.option_strings, *hidden]:
        space = argparse.Namespace()
        action(parser, space, [], word)
        (on if getattr(space, action.dest) is True else off).append(word)
    return on, off


KINDS = {int: "integer", float: "number", str: "string", None: "string", json.loads: "json"}


def kind_of(action, convert, cls):
    name = getattr(convert, "__name__", "")
    if cls is not None:
        return "json"
    if name == "human_readable_int":
        return "human-integer"
    if name == "human_readable_int_or_auto":
        return "human-integer-or-auto"
    if name == "union_dict_and_str":
        return "json-or-string"
    return KINDS.get(convert, "string")


def describe(parser, action, group, classes):
    source = TAG.search(action.help or "")
    owner = classes.get(source.group(1)) if source else None
    field = next((one for one in dataclasses.fields(owner) if one.name == source.group(2)), None) if owner else None
    hint = type_hints_of(owner).get(field.name, field.type) if field else None
    out = {"flag": None, "aliases": [], "negative": None, "dest": action.dest, "group": group, "nargs": action.nargs}
    out |= {"choices": None, "default": plain(action.default), "nullable": False}
    if action.default is argparse.SUPPRESS:
        out["default"] = None
    if dataclasses.is_dataclass(action.default) or (owner and reads_environment(owner, source.group(2))):
        out["default_depends"] = True
    text = TAG.sub("", action.help or "").strip()
    out["deprecated"] = action in getattr(parser, "_deprecated", ()) or bool(re.search(r"(?i)\bis deprecated|^\W*deprecated", text.split("\n")[0]))
    if out["deprecated"] and (removal := removal_of(action, text)):
        out["removal"] = removal
    if source:
        out["source"] = f"{source.group(1)}.{source.group(2)}"
    if isinstance(action, argparse._HelpAction):
        return out | {"flag": "--help", "kind": "help"}
    if action.nargs == 0:
        on, off = switch_words(parser, action)
        longs = [word for word in on if word.startswith("--")]
        out |= {"flag": longs[0], "kind": "boolean", "aliases": [word for word in on if word != longs[0]]}
        if off:
            out["negative"] = off[0]
            if off[1:]:
                out["negative_aliases"] = off[1:]
        return out
    return out | describe_value(action, hint, {"field": field, "own": classes})


def removal_of(action, text):
    """Named in the description, or in a message beside the code."""
    constants = [value for value in vars(sys.modules["vllm.engine.arg_utils"]).values() if isinstance(value, str)]
    about = [text, *(value for value in constants if action.option_strings[0] in value)]
    found = next((match for one in about if (match := re.search(r"removed in v?(\d+\.\d+(?:\.\d+)?)", one))), None)
    return found and found.group(1)


def describe_value(action, hint, context):
    field, own = context["field"], context["own"]
    longs = [word for word in action.option_strings if word.startswith("--")]
    convert, cls = unwrap(action.type)
    kind = kind_of(action, convert, cls)
    out = {"flag": longs[0], "aliases": [word for word in action.option_strings if word != longs[0]], "kind": kind}
    out["nullable"] = converts(action, "None") == (True, None) and converts(action, "") == (True, None)
    if action.nargs == "?":
        out["const"] = action.const
    if action.nargs not in (None, "?"):
        item = "key-value-or-json" if type(action).__name__ == "LoRAParserAction" else kind
        out |= {"kind": "list", "item": item}
    elif kind == "string" and isinstance(converts(action, "a,b")[1], list):
        out |= {"kind": "list", "item": "string", "separator": ","}
    if isinstance(action, argparse._AppendAction):
        out["repeat"] = True
    if kind == "string" and action.choices is None and [converts(action, word)[1] for word in ("nOnE", "nOnF")] == ["", "nOnF"]:
        out["normalise"] = "'none' in any case means unset"
    choices = None if action.choices is None else [one for one in action.choices if one not in (None, "None")]
    if choices is not None:
        out["choices"] = choices
        # Only what changes the word before it is compared takes another spelling of a choice.
        if kind == "string" and choices and converts(action, choices[0].swapcase().replace("_", "-"))[0]:
            out["normalise"] = "lower-case, '-' to '_'"
    if field is not None:
        if bounds := bounds_of(field, hint):
            out["bounds"] = bounds
        member = enum_of(hint)
        known = sorted(literals(hint)) or ([] if not member else [one.value for one in member] if is_counted(member) else names_of(member))
        if known and choices is None and out["kind"] == "string":
            out["known_values"] = known
    if kind.startswith("json"):
        out |= describe_json(cls, hint, own)
    return out


def describe_json(cls, hint, own):
    inner = cls or (dataclass_of(hint) if hint is not None else None)
    out = {"json_checked": cls is not None}
    if cls is None and hint is not None:
        out["json_type"] = type_name(hint)
    if inner is not None:
        out |= {"json_class": inner.__name__, "extra": extra_of(inner), "fields": describe_fields(inner, own)}
    return out


def read_registries():
    out = {}
    with contextlib.suppress(Exception):
        from vllm.tool_parsers import ToolParserManager

        out["tool_call_parser"] = sorted(ToolParserManager.list_registered())
    with contextlib.suppress(Exception):
        from vllm.reasoning import ReasoningParserManager

        out["reasoning_parser"] = sorted(ReasoningParserManager.list_registered())
    with contextlib.suppress(Exception):
        from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS

        out["quantization"] = list(QUANTIZATION_METHODS)
    with contextlib.suppress(Exception):
        from vllm.model_executor.model_loader import _LOAD_FORMAT_TO_MODEL_LOADER

        out["load_format"] = sorted(_LOAD_FORMAT_TO_MODEL_LOADER)
    return out


def main():
    # Descriptions are filled in only when help is asked for, and name what is deprecated.
    target = sys.argv[1] if len(sys.argv) > 1 else None
    sys.argv = [sys.argv[0], "--help"]
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        force_cpu()
        classes = {}
        arg_utils = import_first("vllm.engine.arg_utils")
        tag_sources(arg_utils, classes)
        _, parser, module = build_parsers()
        import vllm

        flags = []
        for group in parser._action_groups:
            for action in group._group_actions:
                if action.option_strings:
                    flags.append(describe(parser, action, group.title, classes))
        dump = {
            "vllm_version": re.sub(r"\+.*", "", vllm.__version__),
            "python": ".".join(map(str, sys.version_info[:3])),
            "platform": "cpu",
            "parser": f"{module.__name__}.make_arg_parser",
            "groups": [group.title for group in parser._action_groups],
            "flags": flags,
            "registries": read_registries(),
        }
    text = json.dumps(dump, indent=1)
    if target is None:
        out.write(text + "\n")
    else:
        with open(target, "w") as file:
            file.write(text + "\n")


main()
