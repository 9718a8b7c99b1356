"""How to talk to this FHIR server, and to no other."""
