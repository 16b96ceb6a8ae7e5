"""The project's own parts: parts/<family>/<name>.py. docs/own_parts.md says how to write one."""
