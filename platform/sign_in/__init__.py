"""Signing in at a provider of OpenID Connect: an institution's, or a public one."""
