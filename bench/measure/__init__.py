"""What the benches share: rounds, tables, material."""
