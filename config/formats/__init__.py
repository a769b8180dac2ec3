"""How dates are written, for languages in which Django's own way differs from what the other pages say."""
