"""Text in, scored sentences out; knows nothing of FHIR, databases or schedules."""
