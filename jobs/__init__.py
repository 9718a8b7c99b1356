"""The processes that run: one pass, the schedule, the audit, the command line."""
