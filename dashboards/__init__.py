"""Streamlit pages on top of the client."""
