"""What can be wrong with a recorded walk: each kind of illness, how it is found and what helps."""
