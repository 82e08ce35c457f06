"""One module per flow; a flow reads like the list of its steps."""
