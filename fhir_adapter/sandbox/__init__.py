"""FHIR R4 servers to try things on: an embedded one and a real HAPI JPA."""
