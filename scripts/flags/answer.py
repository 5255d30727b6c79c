"""Reads argument lists as JSON, one per line, and answers for each whether vLLM's own parser takes it.

PYTHON answer.py < lists.jsonl > answers.jsonl, with the Python of an environment that has vLLM. Starts no engine.
The first line out names the version: {"version": "0.32.0"}. An answer: {"accepted": true} or {"accepted": false, "said": "…"}.
"""

import contextlib
import io
import json
import sys
import warnings

from real_parser import build_parsers, force_cpu


def answer(parser, words):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parser.parse_args(words)
        return {"accepted": True}
    except SystemExit:
        lines = [line for line in said.getvalue().splitlines() if "error:" in line] or said.getvalue().splitlines()
        return {"accepted": False, "said": lines[-1] if lines else ""}
    except Exception as error:  # what the parser does not catch ends vLLM all the same
        return {"accepted": False, "said": f"{type(error).__name__}: {error}"}


def main():
    out = sys.stdout
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        force_cpu()
        parser, _, _ = build_parsers()
        import vllm
    out.write(json.dumps({"version": vllm.__version__.partition("+")[0]}) + "\n")
    out.flush()
    for line in sys.stdin:
        out.write(json.dumps(answer(parser, json.loads(line))) + "\n")
        out.flush()


main()
