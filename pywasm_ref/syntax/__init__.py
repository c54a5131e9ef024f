"""What exists: values, types, instructions and modules, as data without behaviour.

Spec    syntax/index.html
"""
