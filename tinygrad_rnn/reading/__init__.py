"""What a graph says of its net: steps, layers, states, cells, roles and names, each read once."""
