"""The sections of the report's page: each file computes the data of one section, which a template of the same name shows."""
