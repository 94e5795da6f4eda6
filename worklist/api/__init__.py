"""The API, version 1: the same queries as the page and the command line, for programs."""

#: Whatever changes in a way that breaks a program gets another prefix.
PREFIX = "/api/v1"
