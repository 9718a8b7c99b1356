"""What a monitor asks of passes: how notes ended, how far behind the server, when all was last well."""
