"""The argument parser of `vllm serve`, built by the installed vLLM's own code; needs no GPU."""

import importlib
import logging
import os


def force_cpu():
    """Without a GPU a CUDA build finds no platform and cannot even build its parser; the flags are the same."""
    os.environ.setdefault("VLLM_TARGET_DEVICE", "cpu")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import vllm.platforms as platforms
    from vllm.platforms.cpu import CpuPlatform

    platforms._current_platform = CpuPlatform()
    logging.getLogger("vllm").setLevel(logging.CRITICAL)


def import_first(*names):
    """The parser moved from module to module."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or "?"):
                raise
    raise ModuleNotFoundError(names)


def build_parsers():
    """The whole command line and the part behind `serve`."""
    utils = import_first("vllm.utils.argparse_utils", "vllm.utils")
    cli_args = import_first(
        "vllm.entrypoints.launchers.cli_args",
        "vllm.entrypoints.common.cli_args",
        "vllm.entrypoints.openai.cli_args",
    )
    root = utils.FlexibleArgumentParser(prog="vllm", description="vLLM CLI")
    serve = root.add_subparsers(required=False, dest="subparser").add_parser("serve")
    return root, cli_args.make_arg_parser(serve), cli_args
