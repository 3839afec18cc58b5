"""Accounts as the API shows them: JSON shapes that several endpoint folders share, made from the documents."""
