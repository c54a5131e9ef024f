"""Trees of files that a host can lend: a directory of this machine, a tree in memory, and one that keeps its changes in memory."""
