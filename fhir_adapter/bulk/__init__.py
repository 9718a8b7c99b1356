"""FHIR Bulk Data: what a server or a file holds, as lines of resources."""
