"""A small FHIR R4 server on Starlette and SQLite."""
