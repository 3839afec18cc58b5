"""The reference of the API: OpenAPI, the documentation page and the generated Markdown, all from the declarations.

No call needs this package; it is loaded at the first request for `/docs` or `/openapi.json`.
"""
