"""Observers and other instruments; none of them is known to what it looks at."""
