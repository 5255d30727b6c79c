"""Unpacks a wheel's Python code: unpack.py WHEEL DIRECTORY. Compiled modules are left out: no parser needs them."""

import sys
import zipfile

wheel, directory = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    archive.extractall(directory, [name for name in names if name.endswith((".py", ".json", ".jinja")) or ".dist-info/" in name])
