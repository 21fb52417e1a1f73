"""PostgreSQL as the SQL engine."""
