"""Tests of audits of predictions that a user brings."""
