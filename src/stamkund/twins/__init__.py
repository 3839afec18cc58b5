"""What the calls of `/accounts` and their twins of `/me` share: parameters, and what the calls do.

Twins differ in where the account comes from (a parameter, or the access token), in the scope, and in the documented
shape. Everything else stands here once.
"""
