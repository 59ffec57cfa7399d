"""Requests to providers: `seam` says what a transport is; one module for each of them."""
