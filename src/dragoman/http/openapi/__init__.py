"""The OpenAPI description of the inference routes: a module of tables per protocol, and
`document`, which puts them together."""

from dragoman.http.openapi.document import inference_document, merge

__all__ = ["inference_document", "merge"]
