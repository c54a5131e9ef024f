"""The only door upward: everything that uses an engine comes through here.

`engine.py` says what an engine is, `functions.py` is the specification's list of operations, exact to the bit, and the other
files are the pleasant face for Python programs.

Spec    appendix/embedding.html
"""
