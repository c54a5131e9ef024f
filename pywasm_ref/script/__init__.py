"""The test language: scripts of modules, actions and assertions, as the reference interpreter runs them (`.wast`)."""
