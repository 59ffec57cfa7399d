"""What outlives a process: providers, gateway keys, model lists and settings in one database."""
