"""Who may ask: sign-in, OpenID Connect, and the middlewares before every route."""
