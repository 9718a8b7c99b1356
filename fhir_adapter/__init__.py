"""Everything that knows FHIR, and nothing that knows torch."""
