"""The commands of `clinsum`, one file per concern; each ends with an exit code of `jobs.exits`."""
