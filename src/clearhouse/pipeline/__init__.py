"""What every domain does with its days: pull, bronze, transform, gate, publish, close, rebuild."""
