"""The hosted login and logout pages, for every site of an organisation at once."""
