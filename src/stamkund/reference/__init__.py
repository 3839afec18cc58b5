"""What is told about the API: OpenAPI, the documentation page and the generated Markdown, all out of the declarations.

Nothing in here is needed to answer a call; it is loaded when somebody asks for `/docs` or `/openapi.json`.
"""
