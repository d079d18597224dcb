"""The OpenAPI description in the hands of programs that others wrote."""
