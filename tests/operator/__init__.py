"""The operator's pages, as the operator and others meet them."""
