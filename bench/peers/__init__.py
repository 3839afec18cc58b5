"""The same job written in other ways, as yardsticks for the product."""
