"""One module per contestant, each the program of a process of its own; what they can do is what they define.

Methods named ``prepare_*`` are not measured; the others are, and each returns what a researcher would go on with: a
pandas frame with dates as its index.
"""
