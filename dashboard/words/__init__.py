"""Every word of the interface: one module per page, and `common` for what they share."""
