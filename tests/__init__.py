"""Tests that cross rooms: the whole way of the data, attacks on every function, the browser."""
