.PHONY: check test fix

check:  ## everything but the tests
	ruff check
	ruff format --check
	mypy
	lint-imports
	codespell

test:  ## the tests, without the slow ones
	pytest

fix:  ## what can be put right automatically
	ruff check --fix
	ruff format
