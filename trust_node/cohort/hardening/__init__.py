"""What makes a server's warehouse safe to ask: a schema of views, a role that sees nothing else."""
