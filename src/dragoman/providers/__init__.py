"""What is known about providers, as data: types, presets, URL rules, auth, model lists."""
