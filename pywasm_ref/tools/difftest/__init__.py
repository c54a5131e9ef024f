"""The differential lab: modules by chance, run by several engines that should agree.

`generate` makes valid modules, `mutate` broken ones; `peers` are engines, each in a `child` process; `observe` writes down what an
engine does, `compare` finds where two differ, `reduce` makes such a find small, and `campaign` does all of it for hours.
"""
