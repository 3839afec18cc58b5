"""Calls about accounts and account candidates, made by the publisher's own systems."""
